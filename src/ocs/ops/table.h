// The rows, one file each.
#pragma once

#include "ocs/ops/op.h"

namespace ocs {

extern const LinearOp conv;
extern const LinearOp conv_transpose;
extern const LinearOp gemm;
extern const LinearOp matmul;
extern const LinearOp lstm;
extern const LinearOp gru;
extern const LinearOp rnn;

}  // namespace ocs
