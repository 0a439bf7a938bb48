#pragma once

#include "ocs/graph/pass_result.h"

namespace ocs {

// Weights become initializers of the main graph, whatever way the exporter took:
// - an initializer that is a graph input too is an initializer only (IR version 4 at least);
// - a Constant node becomes an initializer named as its output;
// - Identity, Cast, Transpose, Reshape, Squeeze, Unsqueeze and Flatten of initializers, and
//   ConstantOfShape of at most 65536 elements, are computed; the result is named as their output.
// Nodes whose output is a graph output, sparse constants, strings behind a computation, Casts of
// values that the new type cannot hold and bodies are left alone. Other arithmetic on shapes is
// too.
[[nodiscard]] PassResult lift_constants(Model model);

}  // namespace ocs
