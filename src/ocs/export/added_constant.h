#pragma once

#include <optional>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/graph/model.h"

namespace ocs {

// y = Add(node's result, b) with a constant b, where nothing else reads the result.
struct AddedConstant {
  onnx::NodeProto* add = nullptr;  // in the written model
  int input = 0;                   // that reads b
  std::vector<float> values{};     // of b, one for each channel of the last axis
};

// What is added to the result of `node` (one of the float model's in `place`, a graph of the written model), which has `channels`
// channels on its last axis. Nothing where the Add reads it rounded, or b differs along other axes.
[[nodiscard]] std::optional<AddedConstant> find_added_constant(const Graph& graph,
                                                               onnx::GraphProto& place,
                                                               const onnx::NodeProto& node,
                                                               std::size_t channels);

}  // namespace ocs
