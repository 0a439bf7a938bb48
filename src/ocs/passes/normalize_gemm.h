#pragma once

#include "ocs/graph/pass_result.h"

namespace ocs {

// Gemm with a constant weight: transB = 0, so that the weight is [K,N], and alpha in the weight.
// With a constant bias of shape [], [1], [N], [1,N] or [1,1]: beta in the bias, of shape [N]. Other
// biases stay as they are, with beta. Float only. The new tensors are new initializers: others may
// read the old ones.
[[nodiscard]] PassResult normalize_gemm(Model model);

}  // namespace ocs
