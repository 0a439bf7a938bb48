// The shape of raw samples, which also tells them from CIFAR-10 files.
#pragma once

#include <vector>

#include "ocs/core/tensor.h"

namespace ocs {

// The shape of the model's one input, of float32, with 1 for a free first extent. Throws
// Error(bad_input) where the model has several inputs, one of another type, or one with another
// free extent.
[[nodiscard]] Shape raw_shape(const std::vector<Port>& inputs);

}  // namespace ocs
