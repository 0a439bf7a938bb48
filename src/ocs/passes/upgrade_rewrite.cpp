#include "ocs/passes/upgrade_rewrite.h"

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {

std::string Rewrite::input(int index) const {
  return index < node_->input_size() ? node_->input(index) : std::string();
}

int Rewrite::element_type(int input_index) const {
  return scope_->facts.element_type(input(input_index));
}

std::optional<int> Rewrite::rank(int input_index) const {
  return scope_->facts.rank(input(input_index));
}

const Tensor* Rewrite::constant(int input_index) const {
  return scope_->facts.constant(input(input_index));
}

bool Rewrite::is_read(int output) const {
  return output < node_->output_size() && scope_->read.contains(node_->output(output));
}

void Rewrite::set_input(int index, const std::string& value) {
  while (node_->input_size() <= index) node_->add_input();
  node_->set_input(index, value);
}

void Rewrite::set_string(const std::string& name, const std::string& value) {
  set_attribute(*node_, name, value);
}

std::string Rewrite::name_for(std::string_view role) const {
  const std::string& base = node_->name().empty() ? node_->op_type() : node_->name();
  std::string name = scope_->model->unique_name(fmt::format("{}_{}", base, role));
  while (scope_->taken.contains(name)) name = scope_->model->unique_name(name);
  return name;
}

std::string Rewrite::constant_tensor(std::string_view role, const Tensor& tensor) {
  onnx::TensorProto proto = to_proto(tensor, "");
  const std::string content = proto.SerializeAsString();
  if (const auto known = scope_->constants.find(content); known != scope_->constants.end())
    return known->second;
  const std::string name = name_for(role);
  if (scope_->is_main_graph) {
    proto.set_name(name);
    *scope_->model->graph().add_initializer() = std::move(proto);
  } else {
    onnx::NodeProto& node = before_.emplace_back(make("Constant", {}));
    node.add_output(name);
    set_attribute(node, "value", tensor);
  }
  scope_->constants.emplace(content, name);
  return name;
}

std::string Rewrite::floats(std::string_view role, const std::vector<float>& values) {
  return constant_tensor(role,
                         {.shape = {static_cast<std::int64_t>(values.size())}, .values = values});
}

std::string Rewrite::ints(std::string_view role, const std::vector<std::int64_t>& values) {
  return constant_tensor(role,
                         {.shape = {static_cast<std::int64_t>(values.size())}, .values = values});
}

std::string Rewrite::int_scalar(std::string_view role, std::int64_t value) {
  return constant_tensor(role, {.values = std::vector<std::int64_t>{value}});
}

std::string Rewrite::scalar_like(int input_index, std::string_view role, float value) {
  const int type = element_type(input_index);
  if (type == onnx::TensorProto::DOUBLE)
    return constant_tensor(role, {.values = std::vector<double>{static_cast<double>(value)}});
  std::string name = constant_tensor(role, {.values = std::vector<float>{value}});
  if (type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::BFLOAT16) {
    onnx::NodeProto& cast = before("Cast", {name});
    set_attribute(cast, "to", std::int64_t{type});
    return cast.output(0);
  }
  return name;
}

onnx::NodeProto Rewrite::make(std::string_view op_type,
                              const std::vector<std::string>& inputs) const {
  onnx::NodeProto node;
  node.set_op_type(std::string(op_type));
  node.set_name(name_for(op_type));
  node.set_domain(node_->domain());
  node.mutable_input()->Assign(inputs.begin(), inputs.end());
  return node;
}

onnx::NodeProto& Rewrite::before(std::string_view op_type, const std::vector<std::string>& inputs) {
  onnx::NodeProto& node = before_.emplace_back(make(op_type, inputs));
  node.add_output(name_for(fmt::format("{}_output", op_type)));
  return node;
}

onnx::NodeProto& Rewrite::after(std::string_view op_type,
                                const std::vector<std::string>& more_inputs) {
  onnx::NodeProto& node = behind_.emplace_back(make(op_type, {}));
  const std::string inner = name_for("inner");
  node.add_input(inner);
  for (const std::string& more : more_inputs) node.add_input(more);
  node.add_output(node_->output(0));
  node_->set_output(0, inner);
  return node;
}

void refuse_upgrade(const onnx::NodeProto& node, int version, std::string_view reason) {
  const std::string& name =
      node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  throw_unsupported(fmt::format("node '{}' ({}) cannot be taken from opset {} to opset {}: {}",
                                name, node.op_type(), version - 1, version, reason));
}

}  // namespace ocs
