// The true squared error of rounding values to a grid: what the mse searches minimise.
#pragma once

#include <cstdint>
#include <span>

#include "ocs/clip/clip.h"

namespace ocs {

// Sums over all values x (times their counts), with k = clamp(round(x / step), lowest, highest).
// All three are in units of step^2.
struct GridFit {
  double error = 0.0;   // sum of (x / step - k)^2
  double cross = 0.0;   // sum of k * x / step
  double square = 0.0;  // sum of k^2
  bool operator==(const GridFit&) const = default;
};

struct LevelRange {
  std::int32_t lowest = 0;
  std::int32_t highest = 0;
};

// `counts` empty: once each. step > 0 with a finite inverse; -2^22 < lowest <= 0 <= highest < 2^22.
// The same bits on every machine: 16 partial sums in a fixed order, whatever a vector register
// holds.
[[nodiscard]] GridFit grid_fit(std::span<const float> values, std::span<const float> counts,
                               float step, LevelRange levels);

// The plain twin of grid_fit: one value after the other, in the same partial sums.
[[nodiscard]] GridFit plain_grid_fit(std::span<const float> values, std::span<const float> counts,
                                     float step, LevelRange levels);

// Sum of (x - Q(x))^2 for the threshold on input.grid, in units of the values squared: the error
// that `mse` minimises. threshold > 0.
[[nodiscard]] double rounding_error(const ClipInput& input, float threshold);

// The same on the asymmetric grid that `range` stands for (see ClipRange); range.low < range.high.
[[nodiscard]] double rounding_error(const ClipInput& input, const ClipRange& range);

}  // namespace ocs
