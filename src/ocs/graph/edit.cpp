#include "ocs/graph/edit.h"

#include <utility>

#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

onnx::AttributeProto& fresh_attribute(onnx::NodeProto& node, const std::string& name,
                                      onnx::AttributeProto::AttributeType type) {
  for (auto& attribute : *node.mutable_attribute()) {
    if (attribute.name() != name) continue;
    attribute.Clear();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
  }
  auto* added = node.add_attribute();
  added->set_name(name);
  added->set_type(type);
  return *added;
}

using Renamed = std::map<std::string, std::string>;

// `renamed` without the names that the body defines itself: there they mean something else.
Renamed visible_in(const onnx::GraphProto& body, const Renamed& renamed) {
  Renamed visible = renamed;
  for (const auto& input : body.input()) visible.erase(input.name());
  for (const auto& tensor : body.initializer()) visible.erase(tensor.name());
  for (const auto& tensor : body.sparse_initializer()) visible.erase(tensor.values().name());
  for (const auto& node : body.node())
    for (const auto& output : node.output()) visible.erase(output);
  return visible;
}

void replace_in_nodes(onnx::GraphProto& graph, const Renamed& renamed) {
  if (renamed.empty()) return;
  for (auto& node : *graph.mutable_node()) {
    for (auto& input : *node.mutable_input()) {
      if (const auto found = renamed.find(input); found != renamed.end()) input = found->second;
    }
    for_each_body(node, [&](onnx::GraphProto& body) {
      const Renamed visible = visible_in(body, renamed);
      replace_in_nodes(body, visible);
      for (auto& output : *body.mutable_output()) {
        if (const auto found = visible.find(output.name()); found != visible.end())
          output.set_name(found->second);
      }
    });
  }
}

}  // namespace

std::string add_initializer(Model& model, std::string_view base, const Tensor& tensor) {
  return add_initializer(model, base, to_proto(tensor, ""));
}

std::string add_initializer(Model& model, std::string_view base, onnx::TensorProto tensor) {
  std::string name = model.unique_name(base);
  tensor.set_name(name);
  *model.graph().add_initializer() = std::move(tensor);
  return name;
}

onnx::NodeProto& add_node(Model& model, std::string_view op_type, const std::string& name,
                          const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs) {
  return add_node(model, model.graph(), op_type, name, inputs, outputs);
}

onnx::NodeProto& add_node(Model& model, onnx::GraphProto& graph, std::string_view op_type,
                          const std::string& name, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs) {
  const std::string given = model.unique_name(name);
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(std::string(op_type));
  node.set_name(given);
  node.mutable_input()->Assign(inputs.begin(), inputs.end());
  node.mutable_output()->Assign(outputs.begin(), outputs.end());
  for (const std::string& output : outputs) model.reserve_name(output);
  return node;
}

void set_attribute(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  fresh_attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

void set_attribute(onnx::NodeProto& node, const std::string& name,
                   const std::vector<std::int64_t>& values) {
  fresh_attribute(node, name, onnx::AttributeProto::INTS)
      .mutable_ints()
      ->Assign(values.begin(), values.end());
}

void set_attribute(onnx::NodeProto& node, const std::string& name, float value) {
  fresh_attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

void set_attribute(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  fresh_attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

void set_attribute(onnx::NodeProto& node, const std::string& name, const Tensor& value) {
  *fresh_attribute(node, name, onnx::AttributeProto::TENSOR).mutable_t() = to_proto(value, "");
}

void remove_attribute(onnx::NodeProto& node, std::string_view name) {
  auto* attributes = node.mutable_attribute();
  for (int i = attributes->size() - 1; i >= 0; --i)
    if (attributes->Get(i).name() == name) attributes->DeleteSubrange(i, 1);
}

void set_input(onnx::NodeProto& node, int index, const std::string& name) {
  while (node.input_size() <= index) node.add_input("");
  node.set_input(index, name);
}

void add_behind(Model& model, onnx::NodeProto& node, const std::string& base, const Tensor& shift) {
  const std::string added = add_initializer(model, base, shift);
  const std::string result = node.output(0);
  const std::string raw = model.unique_name(result + "_uncorrected");
  node.set_output(0, raw);
  add_node(model, "Add", base + "_Add", {raw, added}, {result});
}

void rename_values(onnx::GraphProto& graph, const std::map<std::string, std::string>& renamed) {
  const auto rename = [&](std::string* name) {
    if (const auto found = renamed.find(*name); found != renamed.end()) *name = found->second;
  };
  for (auto& input : *graph.mutable_input()) rename(input.mutable_name());
  for (auto& output : *graph.mutable_output()) rename(output.mutable_name());
  for (auto& info : *graph.mutable_value_info()) rename(info.mutable_name());
  for (auto& tensor : *graph.mutable_initializer()) rename(tensor.mutable_name());
  for (auto& tensor : *graph.mutable_sparse_initializer())
    rename(tensor.mutable_values()->mutable_name());
  for (auto& note : *graph.mutable_quantization_annotation()) rename(note.mutable_tensor_name());
  for (auto& node : *graph.mutable_node())
    for (auto& output : *node.mutable_output()) rename(&output);
  replace_in_nodes(graph, renamed);
}

int drop_unread_in_bodies(Model& model) {
  int gone = 0;
  for_each_graph(model.graph(), [&](onnx::GraphProto& graph) {
    auto* tensors = graph.mutable_initializer();
    if (&graph == &model.graph() || tensors->empty()) return;
    std::set<std::string> needed = reads_of(graph);
    for (const auto& input : graph.input()) needed.insert(input.name());
    for (int i = tensors->size() - 1; i >= 0; --i) {
      if (needed.contains(tensors->Get(i).name())) continue;
      tensors->DeleteSubrange(i, 1);
      ++gone;
    }
  });
  return gone;
}

void remove_nodes(Model& model, const std::set<std::string>& names) {
  auto* nodes = model.graph().mutable_node();
  int kept = 0;
  for (int i = 0; i < nodes->size(); ++i) {
    const std::string& name = nodes->Get(i).name();
    if (!name.empty() && names.contains(name)) continue;
    if (kept != i) nodes->SwapElements(kept, i);  // swaps pointers, not nodes
    ++kept;
  }
  nodes->DeleteSubrange(kept, nodes->size() - kept);
}

void replace_uses(Model& model, const std::string& from, const std::string& to) {
  replace_uses(model, Renamed{{from, to}});
}

void replace_uses(Model& model, const std::map<std::string, std::string>& renamed) {
  replace_in_nodes(model.graph(), renamed);
}

}  // namespace ocs
