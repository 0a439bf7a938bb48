#pragma once

#include "ocs/graph/pass_result.h"

namespace ocs {

// A model with float16 or bfloat16 values computes in float: initializers and constants are
// widened, attributes that name an element type name float. Graph inputs and outputs keep their
// types and names; a Cast stands behind the one and in front of the other. The same in bodies,
// whose inputs and outputs become float. No-op for a model without such values.
// Throws Error(unsupported) naming the node for one of a domain other than ONNX's and ONNX
// Runtime's that reads or may give such a value.
[[nodiscard]] PassResult widen_to_float(Model model);

}  // namespace ocs
