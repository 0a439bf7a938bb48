// real = scale[k] * (stored - zero_point[k]), where k is the index on `axis`, or 0 without one; of a weight
// with blocks that which ScaleIndex says.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ocs/quant/grid.h"

namespace ocs {

struct QuantParams {
  Grid grid{};
  std::optional<int> axis{};       // of the tensor that is quantized; none: one scale for all
  std::int64_t block = 0;          // inputs of an output channel that share a scale; 0: all
  std::vector<float> scale{1.0F};  // size 1 or the axis's extent, times the blocks; finite, > 0
  std::vector<std::int32_t> zero_point{0};  // same size; inside the grid
  bool operator==(const QuantParams&) const = default;
};

// Throws Error(internal) where a scale is not finite and positive, or sizes differ.
void check(const QuantParams& params);

// The power of two at or above `scale`, which is > 0 and at most 2^127.
[[nodiscard]] float power_of_two_above(float scale);

}  // namespace ocs
