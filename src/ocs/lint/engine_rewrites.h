// What ONNX Runtime does to a graph before it looks for groups of DequantizeLinear, operator and QuantizeLinear: the rewrites that decide
// which node sees which. Held against the engine's own optimized graph by tests/lint.
#pragma once

#include <map>

#include "ocs/lint/working_graph.h"

namespace ocs {

// A node that is no step of its own afterwards.
struct Absorbed {
  bool into_quantize = false;  // Relu and Clip: the QuantizeLinear behind clamps as well
  std::size_t step = 0;        // else: the step that computes it too
};
using AbsorbedNodes = std::map<const onnx::NodeProto*, Absorbed>;

// `signed_is_integer`: kernels take int8 activations (not on x86, where pairs of int8 are made uint8 when that is possible).
[[nodiscard]] AbsorbedNodes make_engine_rewrites(WorkingGraph& graph, bool signed_is_integer);

// Whether a kernel may take a Relu or Clip for one that changes nothing ahead of this QuantizeLinear: what it clamps, the integers clamp,
// bounds rounded to the grid.
[[nodiscard]] bool is_redundant(const WorkingGraph& graph, const Step& clamp, const Step& quantize);
// Least and largest value that a Clip lets through; false where they are not constant.
struct ClipBounds {
  double lowest = 0;
  double highest = 0;
};
[[nodiscard]] bool read_bounds(const WorkingGraph& graph, const Step& clip, ClipBounds& bounds);

// Steps that write, read values of the integers they are given, so that pairs may move over them.
[[nodiscard]] bool is_same_quantizer(const Quantizer& a, const Quantizer& b);

}  // namespace ocs
