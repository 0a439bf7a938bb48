#pragma once

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"

namespace ocs {

// Sets LayerPlan::becomes_gemm: ONNX Runtime joins MatMul and the Add of a constant behind it to a Gemm before it looks for
// integer kernels (MatMulAddFusion), where the data have two axes or extents that are all known. The integer Gemm takes a constant of
// int32 only; with a float one the layer runs in float and dequantizes its weights in each run.
void mark_engine_gemms(const Model& model, Plan& plan);

}  // namespace ocs
