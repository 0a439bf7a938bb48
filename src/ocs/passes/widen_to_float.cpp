//   x (float16) -> Conv(W float16) -> y (float16)
//     -->   x (float16) -> Cast -> x_float -> Conv(W float) -> y_float -> Cast -> y (float16)
#include "ocs/passes/widen_to_float.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"
#include "ocs/passes/constant_floats.h"
#include "ocs/passes/value_facts.h"

namespace ocs {
namespace {

using onnx::TensorProto;

bool is_half(std::int64_t type) {
  return type == TensorProto::FLOAT16 || type == TensorProto::BFLOAT16;
}

bool is_half(const onnx::ValueInfoProto& info) {
  return info.type().has_tensor_type() && is_half(info.type().tensor_type().elem_type());
}

// Attributes that hold an element type, of ONNX's and ONNX Runtime's operators.
bool names_a_type(const onnx::AttributeProto& attribute) {
  constexpr auto names =
      std::to_array<std::string_view>({"dtype", "output_datatype", "output_dtype", "precision",
                                       "softmax_precision", "stash_type", "to"});
  return attribute.type() == onnx::AttributeProto::INT &&
         std::ranges::find(names, attribute.name()) != names.end();
}

// Everything below is written once for all places where a float16 can stand: `count` only looks.
class Widening {
 public:
  explicit Widening(Model& model) : model_(&model), folder_(folder_of(model)) {
    for (const auto& function : model.proto().functions())
      functions_.insert(function.domain() + "." + function.name());
  }

  void check_nodes(const onnx::GraphProto& graph, const ValueFacts* outer) const;
  void widen(onnx::GraphProto& graph, bool is_main);
  void widen(onnx::NodeProto& node);
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  void widen(TensorProto& tensor);
  void widen(onnx::TypeProto& type);
  void widen_inside(onnx::AttributeProto& attribute);
  [[nodiscard]] bool is_known(const onnx::NodeProto& node) const {
    return in_default_domain(node) || node.domain() == "com.microsoft" ||
           functions_.contains(node.domain() + "." + node.op_type());
  }

  Model* model_;
  std::filesystem::path folder_;
  std::set<std::string> functions_;
  std::int64_t count_ = 0;  // of what was widened
};

void Widening::check_nodes(const onnx::GraphProto& graph, const ValueFacts* outer) const {
  const ValueFacts facts(graph, outer);
  for (const auto& node : graph.node()) {
    for_each_body(node, [&](const onnx::GraphProto& body) { check_nodes(body, &facts); });
    const auto half = [&](const std::string& name) { return is_half(facts.element_type(name)); };
    if (is_known(node) ||
        (std::ranges::none_of(node.input(), half) && std::ranges::none_of(node.output(), half)))
      continue;
    throw_unsupported(fmt::format(
        "node '{}' ({}.{}) works on float16; only the operators of ONNX and ONNX Runtime can be "
        "taken to float",
        node.name(), node.domain(), node.op_type()));
  }
}

void Widening::widen(TensorProto& tensor) {
  if (!is_half(tensor.data_type())) return;
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    widen_external(tensor);
  } else {
    const std::string name = tensor.name();
    tensor = to_proto(to_tensor(tensor, folder_), name);
  }
  ++count_;
}

void Widening::widen(onnx::TypeProto& type) {
  if (type.has_tensor_type() && is_half(type.tensor_type().elem_type())) {
    type.mutable_tensor_type()->set_elem_type(TensorProto::FLOAT);
    ++count_;
  }
  if (type.has_sequence_type()) widen(*type.mutable_sequence_type()->mutable_elem_type());
  if (type.has_optional_type()) widen(*type.mutable_optional_type()->mutable_elem_type());
}

void Widening::widen_inside(onnx::AttributeProto& attribute) {
  if (names_a_type(attribute) && is_half(attribute.i())) {
    attribute.set_i(TensorProto::FLOAT);
    ++count_;
  }
  if (attribute.has_t()) widen(*attribute.mutable_t());
  if (attribute.has_tp()) widen(*attribute.mutable_tp());
  if (attribute.has_sparse_tensor()) widen(*attribute.mutable_sparse_tensor()->mutable_values());
  for (auto& tensor : *attribute.mutable_tensors()) widen(tensor);
}

void Widening::widen(onnx::NodeProto& node) {
  if (is_known(node))
    for (auto& attribute : *node.mutable_attribute()) widen_inside(attribute);
  for_each_body(node, [&](onnx::GraphProto& body) { widen(body, false); });
}

void Widening::widen(onnx::GraphProto& graph, bool is_main) {
  std::set<std::string> initializers;
  for (auto& tensor : *graph.mutable_initializer()) {
    initializers.insert(tensor.name());
    widen(tensor);
  }
  for (auto& tensor : *graph.mutable_sparse_initializer()) widen(*tensor.mutable_values());
  for (auto& info : *graph.mutable_value_info()) widen(*info.mutable_type());
  // The main graph's own inputs and outputs keep their types; an input with a value is a constant.
  for (auto& info : *graph.mutable_input())
    if (!is_main || initializers.contains(info.name())) widen(*info.mutable_type());
  if (!is_main)
    for (auto& info : *graph.mutable_output()) widen(*info.mutable_type());
  for (auto& node : *graph.mutable_node()) widen(node);
}

void cast_inputs(Model& model) {
  const Graph graph(model);
  std::vector<std::string> halves;
  for (const auto& input : model.graph().input())
    if (graph.is_graph_input(input.name()) && is_half(input)) halves.push_back(input.name());
  for (const std::string& name : halves) {
    const std::string inner = model.unique_name(name + "_float");
    replace_uses(model, name, inner);
    onnx::NodeProto& cast = add_node(model, "Cast", name + "_to_float", {name}, {inner});
    set_attribute(cast, "to", std::int64_t{TensorProto::FLOAT});
  }
}

void cast_outputs(Model& model) {
  std::set<std::string> inputs;
  for (const auto& input : model.graph().input()) inputs.insert(input.name());
  for (int i = 0; i < model.graph().output_size(); ++i) {
    const onnx::ValueInfoProto& output = model.graph().output(i);
    if (!is_half(output) || inputs.contains(output.name())) continue;
    const std::string name = output.name();
    const std::int64_t type = output.type().tensor_type().elem_type();
    const std::string inner = model.unique_name(name + "_float");
    replace_uses(model, name, inner);
    for (auto& node : *model.graph().mutable_node())
      std::ranges::replace(*node.mutable_output(), name, inner);
    for (auto& tensor : *model.graph().mutable_initializer())
      if (tensor.name() == name) tensor.set_name(inner);
    onnx::NodeProto& cast = add_node(model, "Cast", name + "_from_float", {inner}, {name});
    set_attribute(cast, "to", type);
  }
}

}  // namespace

PassResult widen_to_float(Model model) {
  Widening widening(model);
  widening.check_nodes(model.graph(), nullptr);
  widening.widen(model.graph(), true);
  for (auto& function : *model.proto().mutable_functions())
    for (auto& node : *function.mutable_node()) widening.widen(node);
  const auto half_ports = [](const auto& ports) {
    return std::ranges::any_of(ports, [](const auto& info) { return is_half(info); });
  };
  std::vector<Note> notes;
  if (widening.count() == 0 && !half_ports(model.graph().input()) &&
      !half_ports(model.graph().output()))
    return {std::move(model), std::move(notes)};
  cast_inputs(model);
  cast_outputs(model);
  sort_topologically(model);
  notes.push_back({.text = "float16 and bfloat16 values are computed in float"});
  return {std::move(model), std::move(notes)};
}

}  // namespace ocs
