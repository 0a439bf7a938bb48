// Plan -> QuantizeLinear / DequantizeLinear: the only place where integers enter a model.
//
//   x -> Conv(W, b) -> Relu -> y      becomes
//   x -> Q -> DQ -> Conv(DQ(W_quantized), DQ(b_quantized)) -> Relu -> Q -> DQ -> y's readers
//
// with the Q/DQ of a value standing once, behind its activation, and all readers on the DQ. A value
// `v` that is quantized is readable as `v_DequantizeLinear_Output`, a graph output keeps its name.
// Levels below the container's range are kept by a Clip on the integers. Copies of input channels
// are a Gather, or Slice and Concat, on the integers ahead of a DequantizeLinear of the layer's
// own.
#pragma once

#include <span>
#include <string>

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"

namespace ocs {

// `model` is the float model that the plan was made for; it is only read (large float weights that
// nobody needs are not copied). Needs opset 13 or above (21 with 16-bit activations). No value_info
// is written: the engine infers shapes.
[[nodiscard]] Model write_qdq(const Model& model, const Plan& plan);

// These layers of the plan, each by itself next to the others: inputs are the float values that the layers'
// nodes read, outputs (named by single_layer_result) are float. Shows what each layer loses by its own
// quantization, given exact inputs.
[[nodiscard]] Model write_single_layers(const Model& model, const Plan& plan,
                                        std::span<const LayerPlan> layers);

// A layer's output there: its own name would often be an input of the next layer, and a node with several weights has one for each.
[[nodiscard]] std::string single_layer_result(const LayerId& layer, const std::string& result);

}  // namespace ocs
