//   Conv ""  x -> y        Conv "Conv_y"  x -> y
//   Relu "a" y -> z   -->  Relu "a"       y -> z
//   Relu "a" z -> w        Relu "a_1"     z -> w
#include "ocs/passes/name_nodes.h"

#include <set>
#include <string>

#include <fmt/format.h>

#include "ocs/graph/walk.h"

namespace ocs {
namespace {

std::string name_for(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  for (const std::string& output : node.output())
    if (!output.empty()) return fmt::format("{}_{}", node.op_type(), output);
  return node.op_type();
}

}  // namespace

PassResult name_nodes(Model model) {
  std::vector<Note> notes;
  std::set<std::string> seen;
  for_each_graph(model.graph(), [&](onnx::GraphProto& graph) {
    for (auto& node : *graph.mutable_node()) {
      if (!node.name().empty() && seen.insert(node.name()).second) continue;
      std::string name = model.unique_name(name_for(node));
      if (!node.name().empty())
        notes.push_back(
            {.node = name, .text = fmt::format("another node is named '{}' too", node.name())});
      seen.insert(name);
      node.set_name(std::move(name));
    }
  });
  return {std::move(model), std::move(notes)};
}

}  // namespace ocs
