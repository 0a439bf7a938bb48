// A small transformer block with random weights and outlier channels behind its normalizations, as trained ones have them.
#pragma once

#include <string>

#include "ocs/core/samples.h"
#include "ocs/graph/model.h"

namespace ocs {

// x [N, 12, 32] -> y [N, 12, 32]: LayerNormalization "norm0", attention of one head (MatMul "query", "key", "value", "attended"),
// residual Add, "norm1", MatMul "inner", Gelu in single operators, MatMul "outer", residual Add, "norm2". Channels 3 and 17 behind norm0 and
// norm1 are 30 times the others, and the weights that read them as much smaller. Without `residual` nothing
// but MatMul reads the results of norm0 and norm1.
[[nodiscard]] Model transformer_block(bool residual = true);

// Of `x`, normals.
[[nodiscard]] Samples transformer_samples(std::size_t count);

}  // namespace ocs
