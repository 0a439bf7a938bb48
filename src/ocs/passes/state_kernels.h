#pragma once

#include "ocs/graph/pass_result.h"

namespace ocs {

// Conv and ConvTranspose with a constant weight: attribute kernel_shape is written where a model
// leaves it to the weight, so that nothing behind needs the weight to know the window.
[[nodiscard]] PassResult state_kernels(Model model);

}  // namespace ocs
