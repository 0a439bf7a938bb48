// ONNX Runtime's com.microsoft.DynamicQuantizeLSTM: an LSTM on integer weights that rounds its inputs
// and hidden states to uint8 as it runs, with a scale for each.
//
//   LSTM(X, W [d, 4h, i], R [d, 4h, h], B, ..)
//     -> DynamicQuantizeLSTM(X, W' [d, i, 4h], R' [d, h, 4h], B, .., s_W, z_W, s_R, z_R)
//
// d directions, h hidden units, i inputs; scales and zero points [d, 4h] or [d].
#pragma once

#include <string>
#include <vector>

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"

namespace ocs {

// Names of initializers; nodes may share them.
struct DynamicWeight {
  std::string weight{};
  std::string scale{};
  std::string zero_point{};
};

// W or R as the operator wants it, from the integers as they are written ([d, 4h, i], rows copied
// already) and the scales of their rows (or one).
[[nodiscard]] DynamicWeight add_dynamic_weight(Model& out, const LayerPlan& layer,
                                               const Tensor& stored,
                                               const std::vector<float>& scales);

// Makes it the input of `node`.
void set_dynamic_weight(onnx::NodeProto& node, const LayerPlan& layer, const DynamicWeight& weight);

// Renames the operator, once both weights are written.
void make_dynamic(Model& out, onnx::NodeProto& node);

}  // namespace ocs
