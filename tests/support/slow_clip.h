// Clip methods by their definitions, without a thought for speed: the judges of ocs/clip.
#pragma once

#include <cstdint>
#include <vector>

#include "ocs/clip/clip.h"

namespace ocs {

// sum of (x - Q(x))^2 in double, one value after the other, Q with levels [lowest, highest].
[[nodiscard]] double slow_error(const ClipInput& input, double step, std::int32_t lowest,
                                std::int32_t highest);

// The least error that any threshold up to max|x| has on the signed grid of `steps`, exactly: for
// given levels k_i the best step is sum k_i |x_i| / sum k_i^2, and the levels change only where
// some |x_i| lies in the middle between two.
[[nodiscard]] double least_error(const std::vector<float>& values, std::int32_t steps);

// docs/quantization.md, `aciq` on a signed grid of 2 to 8 bits, literally, with the published
// multiples.
[[nodiscard]] double slow_aciq_threshold(const ClipInput& input);

// docs/quantization.md, `kl`, literally.
[[nodiscard]] double slow_kl_threshold(const ClipInput& input);

}  // namespace ocs
