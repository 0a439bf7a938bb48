#pragma once

#include <span>

#include "ocs/graph/graph.h"
#include "ocs/graph/model.h"

namespace ocs {

// y = Add(node's result, b) with a constant b of one value for each channel of the last axis, where nothing else reads the result:
// adds `shift` to b, as a new initializer of `out`. False where there is no such Add. `graph`: the float model; `node`, in `place` of
// `out`: one of its nodes, whose result keeps its name there.
[[nodiscard]] bool shift_constant_behind(const Graph& graph, Model& out, onnx::GraphProto& place,
                                         const onnx::NodeProto& node, std::span<const float> shift);

}  // namespace ocs
