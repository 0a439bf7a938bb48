// MatMul and Gemm that round their data as they run, in standard operators that ONNX Runtime joins to
// DynamicQuantizeMatMul, or MatMulIntegerToFloat where several layers read the same data:
//
//   y = MatMul(x, W)  -->  x', s_x, z_x = DynamicQuantizeLinear(x)
//                          y = Cast(MatMulInteger(x', W', z_x, z_W)) * (s_x * s_W)  [+ bias]
//
// x' uint8 with one scale, W' int8 [in, out], s_W and z_W [out] or scalars.
#pragma once

#include <string>

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"

namespace ocs {

// What DynamicQuantizeLinear gives of a value.
struct DynamicData {
  std::string levels{};
  std::string scale{};
  std::string zero_point{};
};
// Names are made from `value`.
[[nodiscard]] DynamicData add_dynamic_data(Model& out, const std::string& value);

// Initializers of an integer weight.
struct IntegerWeight {
  std::string levels{};
  std::string scale{};
  std::string zero_point{};
};

// Makes `node` (MatMul or Gemm in the main graph of `out`) the product of integers; its result keeps its name. `bias`: an initializer
// that is added, "" for none.
void make_dynamic_matmul(Model& out, onnx::NodeProto& node, const DynamicData& data,
                         const IntegerWeight& weight, const std::string& bias);

}  // namespace ocs
