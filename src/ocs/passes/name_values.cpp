//   If(c) {then: t = Neg(x); output t}          If(c) {then: t   = Neg(x); output t}
//         {else: t = Abs(x); output t}    -->         {else: t_1 = Abs(x); output t_1}
#include "ocs/passes/name_values.h"

#include <map>
#include <set>
#include <string>

#include "ocs/graph/edit.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

std::set<std::string> defined_in(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) names.insert(tensor.values().name());
  for (const auto& node : graph.node()) names.insert(node.output().begin(), node.output().end());
  names.erase("");
  return names;
}

}  // namespace

PassResult name_values(Model model) {
  std::set<std::string> seen;
  for_each_graph(model.graph(), [&](onnx::GraphProto& graph) {
    std::map<std::string, std::string> renamed;
    for (const std::string& name : defined_in(graph))
      if (!seen.insert(name).second) renamed[name] = model.unique_name(name);
    // The main graph is the first to be visited: none of its names is taken.
    if (!renamed.empty()) rename_values(graph, renamed);
  });
  return {.model = std::move(model)};
}

}  // namespace ocs
