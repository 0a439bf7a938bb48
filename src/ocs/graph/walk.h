// Bodies of If, Loop, Scan and their like: how to reach them, and what they read from outside.
#pragma once

#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <onnx/onnx_pb.h>

namespace ocs {

// Calls visit(graph) for every body that the node itself holds, in the order of its attributes.
template <typename Visit>
void for_each_body(const onnx::NodeProto& node, Visit&& visit) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.has_g()) visit(attribute.g());
    for (const onnx::GraphProto& body : attribute.graphs()) visit(body);
  }
}
template <typename Visit>
void for_each_body(onnx::NodeProto& node, Visit&& visit) {
  for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
    if (attribute.has_g()) visit(*attribute.mutable_g());
    for (onnx::GraphProto& body : *attribute.mutable_graphs()) visit(body);
  }
}

// Calls visit(graph) for `graph` and then for the bodies of its nodes, depth first. `Proto` is
// GraphProto, const or not.
template <typename Proto, typename Visit>
void for_each_graph(Proto& graph, Visit&& visit) {
  visit(graph);
  const auto deeper = [&](auto& body) { for_each_graph(body, visit); };
  if constexpr (std::is_const_v<Proto>) {
    for (const onnx::NodeProto& node : graph.node()) for_each_body(node, deeper);
  } else {
    for (onnx::NodeProto& node : *graph.mutable_node()) for_each_body(node, deeper);
  }
}

// Names that the graph's nodes, those of its bodies and the graphs' outputs read.
[[nodiscard]] std::set<std::string> reads_of(const onnx::GraphProto& graph);

// Names that the bodies of `node` read without defining them (the bodies' own outputs count as
// reads): sorted, each once.
[[nodiscard]] std::vector<std::string> captures(const onnx::NodeProto& node);

}  // namespace ocs
