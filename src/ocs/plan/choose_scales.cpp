#include "ocs/plan/choose_scales.h"

#include <algorithm>
#include <limits>

#include "ocs/quant/affine.h"
#include "ocs/quant/params.h"
#include "ocs/quant/row_blocks.h"
#include "ocs/quant/scale_index.h"
#include "ocs/recipe/target_form.h"

namespace ocs {
namespace {

constexpr auto whole_row = std::numeric_limits<std::size_t>::max();

double squared_error(std::span<const float> values, float step, const Grid& grid) {
  double sum = 0.0;
  for (const float value : values) {
    const std::int32_t level = quantize(value, step, 0, grid.lowest(), grid.highest());
    const double error =
        static_cast<double>(value) - static_cast<double>(dequantize(level, step, 0));
    sum += error * error;
  }
  return sum;
}

float step_of(std::span<const float> values, const Recipe& settings, const Grid& grid) {
  const float limit = threshold(settings.weight_clip, clip_input(values, grid));
  const float step = limit / static_cast<float>(grid.steps());
  // A row of zeros (or of denormals) has no scale of its own; any normal one stores it.
  if (step < std::numeric_limits<float>::min()) return 1.0F;
  if (!target_form(settings.target).powers_of_two) return step;
  // A half of it clips, but may err less.
  const float above = power_of_two_above(step);
  const float below = above / 2.0F;
  if (std::holds_alternative<MaxClip>(settings.weight_clip) ||
      below < std::numeric_limits<float>::min())
    return above;
  return squared_error(values, below, grid) < squared_error(values, above, grid) ? below : above;
}

}  // namespace

std::vector<float> choose_scales(const Recipe& settings, const ChannelMatrix& weight,
                                 const std::vector<int>& copies, bool per_row, const Grid& grid,
                                 std::int64_t block) {
  const SplitParts parts = settings.split_parts;
  if (block == 0 && !per_row)
    return {step_of(physical_weights(weight, copies, parts), settings, grid)};
  const auto of_a_row = static_cast<std::size_t>(ScaleIndex::count_of(weight.inputs, block));
  const auto run = block > 0 ? static_cast<std::size_t>(block) : whole_row;
  std::vector<float> scales(static_cast<std::size_t>(weight.rows()) * of_a_row);
  for_each_row_block(weight, [&](const RowBlock& rows) {
    auto at = static_cast<std::size_t>(rows.group * weight.outputs + rows.first) * of_a_row;
    for (const std::vector<float>& row : physical_rows(weight, copies, parts, rows)) {
      const std::span<const float> values(row);
      for (std::size_t i = 0; i < of_a_row; ++i, ++at) {
        const std::size_t first = i == 0 ? 0 : i * run;
        scales[at] =
            step_of(values.subspan(first, std::min(run, values.size() - first)), settings, grid);
      }
    }
  });
  return scales;
}

}  // namespace ocs
