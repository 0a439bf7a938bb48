#include "ocs/graph/segment.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "ocs/core/error.h"
#include "ocs/graph/set_outputs.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

// What `to` is computed from.
struct Needed {
  std::set<std::size_t> nodes{};
  std::set<std::string, std::less<>> values{};
};

Needed find_needed(const Graph& graph, const std::function<bool(const std::string&)>& is_given,
                   const std::vector<std::string>& to) {
  std::unordered_map<const onnx::NodeProto*, std::size_t> positions;
  for (std::size_t i = 0; i < graph.node_count(); ++i) positions.emplace(&graph.node(i), i);
  Needed needed;
  std::vector<std::size_t> open;
  const auto need = [&](const std::string& name) {
    if (name.empty() || !needed.values.insert(name).second) return;
    if (is_given(name)) return;
    const onnx::NodeProto* producer = graph.producer(name);
    if (producer == nullptr) return;
    if (const std::size_t i = positions.at(producer); needed.nodes.insert(i).second)
      open.push_back(i);
  };
  for (const std::string& name : to) need(name);
  while (!open.empty()) {
    const onnx::NodeProto& node = graph.node(open.back());
    open.pop_back();
    for (const std::string& input : node.input()) need(input);
    for (const std::string& captured : captures(node)) need(captured);
  }
  return needed;
}

onnx::ValueInfoProto float_input(const Port& port) {
  if (port.type != ElementType::float32)
    throw_internal("segment: '" + port.name + "' is not a float tensor");
  onnx::ValueInfoProto info;
  info.set_name(port.name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape();  // there even for a scalar: without it the rank would be free
  for (const std::int64_t extent : port.shape) {
    auto& dim = *type.mutable_shape()->add_dim();
    if (extent >= 0) dim.set_dim_value(extent);
  }
  return info;
}

}  // namespace

std::vector<Cut> find_cuts(const Graph& graph) {
  // Where each value is read last.
  std::map<std::string, std::size_t, std::less<>> last_use;
  std::set<std::string, std::less<>> alive;
  const auto enter = [&](const std::string& value) {
    std::size_t last = 0;
    for (const Use& use : graph.uses(value)) last = std::max(last, use.node);
    if (graph.uses(value).empty() || !alive.insert(value).second) return;
    last_use[value] = last;
  };
  for (const auto& input : graph.model().graph().input())
    if (graph.is_graph_input(input.name())) enter(input.name());
  std::vector<Cut> cuts;
  for (std::size_t i = 0; i < graph.node_count(); ++i) {
    for (const std::string& output : graph.node(i).output()) enter(output);
    std::erase_if(alive, [&](const std::string& value) { return last_use.at(value) <= i; });
    if (alive.size() == 1) cuts.push_back({.value = *alive.begin(), .node = i});
  }
  return cuts;
}

std::set<std::size_t> needed_nodes(const Graph& graph, const std::vector<std::string>& values) {
  return find_needed(
             graph, [](const std::string&) { return false; }, values)
      .nodes;
}

Model segment(const Model& model, const std::vector<Port>& from,
              const std::vector<std::string>& to) {
  const Graph graph(model);
  const auto is_given = [&](const std::string& name) {
    return std::ranges::find(from, name, &Port::name) != from.end();
  };
  const Needed needed = find_needed(graph, is_given, to);
  const onnx::GraphProto& whole = model.graph();
  onnx::ModelProto proto;
  proto.set_ir_version(model.proto().ir_version());
  *proto.mutable_opset_import() = model.proto().opset_import();
  *proto.mutable_functions() = model.proto().functions();
  onnx::GraphProto& part = *proto.mutable_graph();
  part.set_name(whole.name());
  for (const std::size_t i : needed.nodes) *part.add_node() = graph.node(i);
  const auto copy_needed = [&](const auto& list, auto& to_list, auto&& name_of) {
    for (const auto& item : list)
      if (needed.values.contains(name_of(item))) *to_list.Add() = item;
  };
  const auto name_of = [](const auto& item) -> const std::string& { return item.name(); };
  const auto copy_infos = [&](const auto& list) {
    for (const auto& info : list)
      if (needed.values.contains(info.name()) && !is_given(info.name()))
        *part.add_value_info() = info;
  };
  copy_needed(whole.initializer(), *part.mutable_initializer(), name_of);
  copy_needed(whole.sparse_initializer(), *part.mutable_sparse_initializer(),
              [](const auto& item) -> const std::string& { return item.values().name(); });
  // Samples hold values for all inputs, and the engine refuses one that the model has not.
  if (from.empty())
    *part.mutable_input() = whole.input();
  else
    copy_needed(whole.input(), *part.mutable_input(), name_of);
  copy_infos(whole.value_info());
  copy_infos(whole.output());
  for (const Port& port : from)
    if (needed.values.contains(port.name) && !graph.is_graph_input(port.name))
      *part.add_input() = float_input(port);
  set_outputs(part, to);
  return Model(std::move(proto), model.file());
}

}  // namespace ocs
