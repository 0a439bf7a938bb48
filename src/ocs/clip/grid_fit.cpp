#include "ocs/clip/grid_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "ocs/clip/grid_fit_kernel.h"

namespace ocs {
namespace {

double error_at_step(const ClipInput& input, double step, LevelRange levels) {
  const std::vector<float> counts(input.counts.begin(), input.counts.end());
  return grid_fit(input.values, counts, static_cast<float>(step), levels).error * step * step;
}

}  // namespace

GridFit grid_fit(std::span<const float> values, std::span<const float> counts, float step,
                 LevelRange levels) {
  return vector_grid_fit(values, counts, 1.0F / step, levels);
}

GridFit plain_grid_fit(std::span<const float> values, std::span<const float> counts, float step,
                       LevelRange levels) {
  const float per_step = 1.0F / step;
  const auto lowest = static_cast<float>(levels.lowest);
  const auto highest = static_cast<float>(levels.highest);
  GridFit fit;
  for (std::size_t begin = 0; begin < values.size(); begin += block_values) {
    std::array<float, partial_sums> error{};
    std::array<float, partial_sums> cross{};
    std::array<float, partial_sums> square{};
    const std::size_t end = std::min(begin + block_values, values.size());
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t part = i % partial_sums;
      const float count = counts.empty() ? 1.0F : counts[i];
      const float position = values[i] * per_step;
      const float level = std::nearbyint(std::clamp(position, lowest, highest));
      const float miss = position - level;
      error[part] += miss * miss * count;
      cross[part] += level * position * count;
      square[part] += level * level * count;
    }
    for (std::size_t part = 0; part < partial_sums; ++part) {
      fit.error += static_cast<double>(error[part]);
      fit.cross += static_cast<double>(cross[part]);
      fit.square += static_cast<double>(square[part]);
    }
  }
  return fit;
}

double rounding_error(const ClipInput& input, float threshold) {
  return error_at_step(input, static_cast<double>(threshold) / input.grid.steps(),
                       {.lowest = input.grid.lowest(), .highest = input.grid.highest()});
}

double rounding_error(const ClipInput& input, const ClipRange& range) {
  const std::int32_t levels = (1 << input.grid.bits) - 1;
  const double low = range.low;
  const double step = (static_cast<double>(range.high) - low) / levels;
  const auto zero_point = static_cast<std::int32_t>(std::nearbyint(-low / step));
  return error_at_step(input, step, {.lowest = -zero_point, .highest = levels - zero_point});
}

}  // namespace ocs
