#pragma once

#include <cstddef>

#include "ocs/core/samples.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// At most `count` (0: all) of recipe.calib_count calibration samples, from behind the recipe.measure_count ones that the result is
// measured on, so that the measured figures are of data that no decision has seen; where fewer are left than are measured, from the
// first on.
[[nodiscard]] Samples unmeasured_samples(const Samples& samples, const Recipe& recipe,
                                         std::size_t count);

}  // namespace ocs
