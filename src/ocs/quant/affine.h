// The one home of the rounding rule: half to even, saturating, as ONNX QuantizeLinear does it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

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

// The same for many values at zero point 0, clamped to [-highest, highest]; highest < 2^15. Without a call in its loop, so that compilers
// use vectors: a sum with 1.5 * 2^23 has no place for a fraction and is rounded half to even.
inline void quantize_all(std::span<const float> reals, float scale, std::int32_t highest,
                         std::span<std::int16_t> levels) {
  constexpr float rounder = 12582912.0F;
  const auto bound = static_cast<float>(highest);
  for (std::size_t i = 0; i < reals.size(); ++i) {
    const float level = std::clamp(reals[i] / scale, -bound - 1.0F, bound + 1.0F);
    levels[i] = static_cast<std::int16_t>(std::clamp((level + rounder) - rounder, -bound, bound));
  }
}

[[nodiscard]] inline float dequantize(std::int32_t stored, float scale, std::int32_t zero_point) {
  return static_cast<float>(stored - zero_point) * scale;
}

}  // namespace ocs
