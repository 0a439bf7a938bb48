#include "ocs/plan/choose_scales.h"

#include <algorithm>
#include <limits>

#include "ocs/core/parallel.h"
#include "ocs/quant/scale_index.h"

namespace ocs {
namespace {

float step_of(const std::vector<float>& values, const Recipe& settings, const Grid& grid) {
  const float limit = threshold(settings.weight_clip, clip_input(values, grid));
  const float step = limit / static_cast<float>(grid.steps());
  // A row of zeros (or of denormals) has no scale of its own; any normal one stores it.
  return step >= std::numeric_limits<float>::min() ? step : 1.0F;
}

std::vector<float> block_scales(const Recipe& settings, const ChannelMatrix& weight,
                                const Grid& grid, std::int64_t block) {
  const std::int64_t blocks = ScaleIndex::count_of(weight.inputs, block);
  std::vector<float> scales(static_cast<std::size_t>(weight.rows() * blocks));
  parallel_for(static_cast<std::size_t>(weight.rows()), [&](std::size_t row) {
    const auto output = static_cast<std::int64_t>(row);
    for (std::int64_t at = 0; at < blocks; ++at) {
      std::vector<float> values;
      for (std::int64_t i = at * block; i < std::min((at + 1) * block, weight.inputs); ++i)
        values.push_back(weight.at(0, output, i, 0));
      scales[row * static_cast<std::size_t>(blocks) + static_cast<std::size_t>(at)] =
          step_of(values, settings, grid);
    }
  });
  return scales;
}

}  // namespace

std::vector<float> choose_scales(const Recipe& settings, const ChannelMatrix& weight,
                                 const std::vector<int>& copies, bool per_row, const Grid& grid,
                                 std::int64_t block) {
  if (block > 0) return block_scales(settings, weight, grid, block);
  const SplitParts parts = settings.split_parts;
  if (!per_row) return {step_of(physical_weights(weight, copies, parts), settings, grid)};
  std::vector<float> scales(static_cast<std::size_t>(weight.rows()));
  for (std::int64_t row = 0; row < weight.rows(); ++row)
    scales[static_cast<std::size_t>(row)] =
        step_of(physical_weights(weight, copies, parts, row), settings, grid);
  return scales;
}

}  // namespace ocs
