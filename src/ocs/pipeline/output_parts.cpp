#include "ocs/pipeline/output_parts.h"

#include <algorithm>
#include <set>

#include "ocs/graph/graph.h"

namespace ocs {
namespace {

using Groups = std::vector<std::vector<std::string>>;

// More nesting than this is no detector's head.
constexpr int deepest = 16;

bool only_moves_values(const onnx::NodeProto& node) {
  static const std::set<std::string, std::less<>> moves{"Transpose", "Reshape", "Squeeze",
                                                        "Unsqueeze", "Flatten", "Identity"};
  return moves.contains(node.op_type());
}

Groups groups_of(const Graph& graph, const std::string& value, int depth) {
  const onnx::NodeProto* node = graph.producer(value);
  if (node == nullptr || !in_default_domain(*node) || depth == deepest) return {{value}};
  if (only_moves_values(*node)) {
    Groups behind = groups_of(graph, node->input(0), depth + 1);
    return behind.size() > 1 ? behind : Groups{{value}};
  }
  if (node->op_type() != "Concat" || node->input_size() < 2) return {{value}};

  std::vector<Groups> inputs;
  for (const std::string& input : node->input())
    inputs.push_back(groups_of(graph, input, depth + 1));
  const std::size_t kinds = inputs.front().size();
  const auto alike = [&](const Groups& groups) { return groups.size() == kinds; };
  Groups merged;
  if (kinds > 1 && std::ranges::all_of(inputs, alike)) {  // levels of the same make-up
    merged.resize(kinds);
    for (const Groups& level : inputs)
      for (std::size_t kind = 0; kind < kinds; ++kind)
        merged[kind].insert(merged[kind].end(), level[kind].begin(), level[kind].end());
    return merged;
  }
  for (const std::string& input : node->input()) merged.push_back({input});
  return merged;
}

}  // namespace

std::vector<OutputPart> output_parts(const Model& model) {
  const Graph graph(model);
  std::vector<OutputPart> parts;
  for (const onnx::ValueInfoProto& output : model.graph().output()) {
    Groups groups = groups_of(graph, output.name(), 0);
    if (groups.size() < 2) continue;
    for (std::vector<std::string>& values : groups)
      parts.push_back({.output = output.name(), .values = std::move(values)});
  }
  return parts;
}

}  // namespace ocs
