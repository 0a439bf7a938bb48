// Where the result of a float model's layer is found in the quantized model.
#pragma once

#include <string>
#include <vector>

#include "ocs/graph/model.h"

namespace ocs {

struct MatchedValue {
  std::string node{};       // the layer
  std::string reference{};  // value of the float model
  std::string quantized{};  // the value of the quantized model that stands for it
  bool operator==(const MatchedValue&) const = default;
};

// The value of each node's first output, by names: a value keeps its name where it is float in the
// quantized model, and is
// `<value>_DequantizeLinear_Output` where it was quantized. Between a layer and the quantizer often
// stand BatchNormalization, an activation function and the like, each read by the next alone; the
// first quantized value behind them is preferred, so that looking at it does not keep the engine
// from its integer kernels. Layers that are found nowhere are left out; the order is that of
// `nodes`, unknown names are skipped.
[[nodiscard]] std::vector<MatchedValue> match_values(const Model& reference, const Model& quantized,
                                                     const std::vector<std::string>& nodes);

}  // namespace ocs
