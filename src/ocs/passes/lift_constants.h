#pragma once

#include "ocs/graph/pass_result.h"

namespace ocs {

// Weights become initializers, whatever way the exporter took:
// - an initializer that is a graph input too is an initializer only (IR version 4 at least);
// - a Constant node becomes an initializer named as its output;
// - Identity, Cast, Transpose, Reshape, Squeeze, Unsqueeze, Flatten, Slice and Concat of
//   initializers, and ConstantOfShape of at most 65536 elements, are computed; the result is named as
//   their output.
// They lie in the graph that had the Constant, or what they are computed from; those of the body of
// a Loop or a Scan around it. Equal results of two
// branches are one. Value names must be unique
// (name_values).
// Nodes whose output is a graph output, sparse constants, strings behind a computation and Casts of
// values that the new type cannot hold are left alone. Other arithmetic on shapes is too.
[[nodiscard]] PassResult lift_constants(Model model);

}  // namespace ocs
