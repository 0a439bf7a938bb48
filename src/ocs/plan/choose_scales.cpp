#include "ocs/plan/choose_scales.h"

#include <limits>

namespace ocs {
namespace {

float step_of(const std::vector<float>& values, const Recipe& settings, const Grid& grid) {
  const float limit = threshold(settings.weight_clip, clip_input(values, grid));
  const float step = limit / static_cast<float>(grid.steps());
  // A row of zeros (or of denormals) has no scale of its own; any normal one stores it.
  return step >= std::numeric_limits<float>::min() ? step : 1.0F;
}

}  // namespace

std::vector<float> choose_scales(const Recipe& settings, const ChannelMatrix& weight,
                                 const std::vector<int>& copies, bool per_row, const Grid& grid) {
  const SplitParts parts = settings.split_parts;
  if (!per_row) return {step_of(physical_weights(weight, copies, parts), settings, grid)};
  std::vector<float> scales(static_cast<std::size_t>(weight.rows()));
  for (std::int64_t row = 0; row < weight.rows(); ++row)
    scales[static_cast<std::size_t>(row)] =
        step_of(physical_weights(weight, copies, parts, row), settings, grid);
  return scales;
}

}  // namespace ocs
