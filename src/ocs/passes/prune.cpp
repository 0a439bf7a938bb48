//   x -> Identity -> y -> Relu -> z (output)          x -> Relu -> z
//                    y -> Neg  -> w (unread)    -->
//   initializers: a (unread)
#include "ocs/passes/prune.h"

#include <vector>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/walk.h"
#include "ocs/passes/inference_nodes.h"

namespace ocs {
namespace {

// Output -> input of the nodes that only pass their input on. Values that a body captures are left
// alone: inside the body the input's name could mean something else.
std::map<std::string, std::string> find_detours(const Graph& graph) {
  std::map<std::string, std::string> detours;
  for (std::size_t i = 0; i < graph.node_count(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    if (!passes_input_on(graph, node) || graph.is_graph_output(node.output(0))) continue;
    const auto uses = graph.uses(node.output(0));
    if (std::ranges::any_of(uses, [](const Use& use) { return use.input < 0; })) continue;
    const auto known = detours.find(node.input(0));  // nodes are in topological order
    detours.emplace(node.output(0), known == detours.end() ? node.input(0) : known->second);
  }
  return detours;
}

bool may_have_effects(const onnx::NodeProto& node) {
  bool found = !in_default_domain(node);
  for_each_body(node, [&](const onnx::GraphProto& body) {
    found = found || std::ranges::any_of(body.node(), may_have_effects);
  });
  return found;
}

struct Needed {
  std::vector<bool> nodes{};
  std::set<std::string, std::less<>> values{};  // read by a needed node, or a graph output
};

Needed find_needed(const Graph& graph) {
  Needed needed{.nodes = std::vector<bool>(graph.node_count(), false)};
  std::map<const onnx::NodeProto*, std::size_t> positions;
  std::vector<std::size_t> open;
  const auto need_node = [&](std::size_t i) {
    if (needed.nodes[i]) return;
    needed.nodes[i] = true;
    open.push_back(i);
  };
  const auto need_value = [&](const std::string& name) {
    if (name.empty() || !needed.values.insert(name).second) return;
    if (const auto* producer = graph.producer(name)) need_node(positions.at(producer));
  };
  for (std::size_t i = 0; i < graph.node_count(); ++i) positions.emplace(&graph.node(i), i);
  for (std::size_t i = 0; i < graph.node_count(); ++i)
    if (may_have_effects(graph.node(i))) need_node(i);
  for (const auto& output : graph.model().graph().output()) need_value(output.name());
  while (!open.empty()) {
    const onnx::NodeProto& node = graph.node(open.back());
    open.pop_back();
    for (const auto& input : node.input()) need_value(input);
    for (const auto& captured : captures(node)) need_value(captured);
  }
  return needed;
}

// Keeps the elements for which keep(element, index) holds, in order; returns how many went.
template <typename Field, typename Keep>
int retain(Field& field, Keep&& keep) {
  int kept = 0;
  for (int i = 0; i < field.size(); ++i) {
    if (!keep(field.Get(i), static_cast<std::size_t>(i))) continue;
    if (kept != i) field.SwapElements(kept, i);
    ++kept;
  }
  const int gone = field.size() - kept;
  field.DeleteSubrange(kept, gone);
  return gone;
}

std::set<std::string, std::less<>> values_of(const onnx::GraphProto& graph) {
  std::set<std::string, std::less<>> values;
  for (const auto& input : graph.input()) values.insert(input.name());
  for (const auto& tensor : graph.initializer()) values.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) values.insert(tensor.values().name());
  for (const auto& node : graph.node()) values.insert(node.output().begin(), node.output().end());
  return values;
}

}  // namespace

PassResult prune(Model model, const std::set<std::string>& keep) {
  replace_uses(model, find_detours(Graph(model)));
  const Needed needed = find_needed(Graph(model));
  onnx::GraphProto& graph = model.graph();
  const int nodes =
      retain(*graph.mutable_node(), [&](const auto&, std::size_t i) { return needed.nodes[i]; });
  // An initializer that is a graph input too is part of the model's interface.
  std::set<std::string, std::less<>> inputs;
  for (const auto& input : graph.input()) inputs.insert(input.name());
  const auto is_read = [&](const std::string& name) {
    return needed.values.contains(name) || inputs.contains(name) || keep.contains(name);
  };
  int tensors = retain(*graph.mutable_initializer(),
                       [&](const auto& tensor, std::size_t) { return is_read(tensor.name()); });
  tensors += retain(*graph.mutable_sparse_initializer(), [&](const auto& tensor, std::size_t) {
    return is_read(tensor.values().name());
  });
  tensors += drop_unread_in_bodies(model);
  const auto values = values_of(graph);
  retain(*graph.mutable_value_info(),
         [&](const auto& info, std::size_t) { return values.contains(info.name()); });
  retain(*graph.mutable_quantization_annotation(),
         [&](const auto& note, std::size_t) { return values.contains(note.tensor_name()); });
  std::vector<Note> notes;
  if (nodes + tensors > 0)
    notes.push_back({.text = fmt::format("dropped {} nodes and {} tensors that do not bear on the "
                                         "outputs",
                                         nodes, tensors)});
  return {std::move(model), std::move(notes)};
}

}  // namespace ocs
