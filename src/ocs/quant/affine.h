// The one home of the rounding rule: half to even, saturating, as ONNX QuantizeLinear does it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ocs/quant/grid.h"

namespace ocs {

// round(real / scale) + zero_point, clamped to [lowest, highest]. `real` must be finite, `scale` >
// 0. Clamped as float, cast last: the cast of an out-of-range float is undefined.
[[nodiscard]] inline std::int32_t quantize(float real, float scale, std::int32_t zero_point,
                                           std::int32_t lowest, std::int32_t highest) {
  const float level = std::nearbyint(real / scale) + static_cast<float>(zero_point);
  return static_cast<std::int32_t>(
      std::clamp(level, static_cast<float>(lowest), static_cast<float>(highest)));
}

[[nodiscard]] inline float dequantize(std::int32_t stored, float scale, std::int32_t zero_point) {
  return static_cast<float>(stored - zero_point) * scale;
}

}  // namespace ocs
