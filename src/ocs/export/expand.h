// Copies and permutations as tensors: from the integers of a plan, in the layout of the float
// weight, to what is written.
#pragma once

#include <cstdint>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"
#include "ocs/plan/plan.h"

namespace ocs {

// int8 weight of a layer with its physical rows and inputs: the k-th occurrence of an input channel
// in plan.inputs carries part k of its integers (part_of), so that all occurrences add up.
// `weight`: shape of the float weight. `node`: still with its own group count; where rows of a
// depthwise Conv change, `groups` gives the new count (else node's own). Residual columns lie behind all inputs. Throws Error(internal)
// where an integer does not fit.
struct PhysicalWeight {
  Tensor tensor{};  // int8
  std::int64_t groups = 1;
};
[[nodiscard]] PhysicalWeight physical_weight(const onnx::NodeProto& node, const LayerPlan& plan,
                                             const Shape& weight);

// The scales of all its columns, those of residual columns behind the others of a row ([rows, blocks]).
[[nodiscard]] std::vector<float> physical_scales(const LayerPlan& plan);

// The same as it is written: packed where several integers share a byte, or what lies in the file of weights already (plan.kept).
struct StoredWeight {
  onnx::TensorProto tensor{};
  std::int64_t groups = 1;
};
[[nodiscard]] StoredWeight stored_weight(const onnx::NodeProto& node, const LayerPlan& plan,
                                         const Shape& weight);

// One entry for each physical row out of one for each row of the float weight (or a single one for
// all).
[[nodiscard]] std::vector<float> physical_rows(const std::vector<float>& values,
                                               const std::vector<std::int64_t>& rows);

}  // namespace ocs
