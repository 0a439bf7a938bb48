#pragma once

#include <algorithm>
#include <limits>

namespace ocs {

// `threshold` as a float of (0, max_abs]: positive even where the share of a tiny magnitude
// vanishes. max_abs > 0.
[[nodiscard]] inline float bounded_threshold(double threshold, float max_abs) {
  const auto rounded = static_cast<float>(std::min(threshold, static_cast<double>(max_abs)));
  return std::max(rounded, std::numeric_limits<float>::denorm_min());
}

}  // namespace ocs
