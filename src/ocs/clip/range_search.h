#pragma once

#include "ocs/clip/clip.h"

namespace ocs {

// The range of an asymmetric grid of 2^bits - 1 steps with the least true rounding error over the
// (counted) values, which must have both signs.
[[nodiscard]] ClipRange least_error_range(const ClipInput& input);

}  // namespace ocs
