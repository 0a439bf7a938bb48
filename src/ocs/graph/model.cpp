#include "ocs/graph/model.h"

#include <unordered_set>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

// Half-width floats are shown as float: the engine converts at the border.
ElementType port_type(const std::string& name, std::int32_t type) {
  switch (type) {
    case onnx::TensorProto::UNDEFINED:
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::BFLOAT16:
      return ElementType::float32;
    case onnx::TensorProto::DOUBLE:
      return ElementType::float64;
    case onnx::TensorProto::INT64:
      return ElementType::int64;
    case onnx::TensorProto::INT32:
      return ElementType::int32;
    case onnx::TensorProto::INT16:
      return ElementType::int16;
    case onnx::TensorProto::INT8:
      return ElementType::int8;
    case onnx::TensorProto::UINT16:
      return ElementType::uint16;
    case onnx::TensorProto::UINT8:
      return ElementType::uint8;
    case onnx::TensorProto::BOOL:
      return ElementType::boolean;
    default:
      break;
  }
  throw_unsupported(fmt::format(
      "'{}' is an input or output of element type {}, which cannot be handled", name, type));
}

Port port_of(const onnx::ValueInfoProto& info) {
  Port port{.name = info.name()};
  const onnx::TypeProto& type = info.type();
  if (type.value_case() == onnx::TypeProto::VALUE_NOT_SET) return port;
  if (!type.has_tensor_type()) {
    throw_unsupported(fmt::format("'{}' is an input or output that is not a tensor", info.name()));
  }
  port.type = port_type(info.name(), type.tensor_type().elem_type());
  for (const auto& extent : type.tensor_type().shape().dim()) {
    port.shape.push_back(extent.has_dim_value() && extent.dim_value() >= 0 ? extent.dim_value()
                                                                           : -1);
  }
  return port;
}

}  // namespace

std::int64_t Model::opset() const {
  for (const auto& import : proto_.opset_import())
    if (is_default_domain(import.domain())) return import.version();
  return 1;
}

void Model::set_opset(std::int64_t version) {
  for (auto& import : *proto_.mutable_opset_import()) {
    if (!is_default_domain(import.domain())) continue;
    import.set_version(version);
    return;
  }
  proto_.add_opset_import()->set_version(version);
}

void Model::collect_names() {
  names_known_ = true;
  for_each_graph(proto_.graph(), [this](const onnx::GraphProto& graph) {
    const auto add = [this](const std::string& name) { next_suffix_.try_emplace(name, 1); };
    for (const auto& value : graph.input()) add(value.name());
    for (const auto& value : graph.output()) add(value.name());
    for (const auto& value : graph.value_info()) add(value.name());
    for (const auto& tensor : graph.initializer()) add(tensor.name());
    for (const auto& tensor : graph.sparse_initializer()) add(tensor.values().name());
    for (const auto& node : graph.node()) {
      add(node.name());
      for (const auto& name : node.input()) add(name);
      for (const auto& name : node.output()) add(name);
    }
  });
}

std::string Model::unique_name(std::string_view base) {
  if (!names_known_) collect_names();
  const std::string wanted(base.empty() ? "unnamed" : base);
  const auto [used, is_free] = next_suffix_.try_emplace(wanted, 1);
  if (is_free) return wanted;
  // The suffix is remembered: a thousand names on one base cost a thousand steps, not a million.
  std::int64_t suffix = used->second;
  std::string name = fmt::format("{}_{}", wanted, suffix++);
  while (next_suffix_.contains(name)) name = fmt::format("{}_{}", wanted, suffix++);
  used->second = suffix;
  next_suffix_.emplace(name, 1);
  return name;
}

void Model::reserve_name(std::string_view name) {
  if (!names_known_) collect_names();
  next_suffix_.try_emplace(std::string(name), 1);
}

std::string Model::metadata(std::string_view key) const {
  for (const auto& entry : proto_.metadata_props())
    if (entry.key() == key) return entry.value();
  return {};
}

void Model::set_metadata(const std::string& key, const std::string& value) {
  for (auto& entry : *proto_.mutable_metadata_props()) {
    if (entry.key() != key) continue;
    entry.set_value(value);
    return;
  }
  auto* entry = proto_.add_metadata_props();
  entry->set_key(key);
  entry->set_value(value);
}

std::vector<Port> Model::inputs() const {
  std::unordered_set<std::string_view> initializers;
  for (const auto& tensor : graph().initializer()) initializers.insert(tensor.name());
  for (const auto& tensor : graph().sparse_initializer())
    initializers.insert(tensor.values().name());
  std::vector<Port> ports;
  for (const auto& input : graph().input())
    if (!initializers.contains(input.name())) ports.push_back(port_of(input));
  return ports;
}

std::vector<Port> Model::outputs() const {
  std::vector<Port> ports;
  for (const auto& output : graph().output()) ports.push_back(port_of(output));
  return ports;
}

}  // namespace ocs
