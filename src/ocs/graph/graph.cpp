#include "ocs/graph/graph.h"

#include <algorithm>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/walk.h"

namespace ocs {

Graph::Graph(const Model& model) : model_(&model) {
  const onnx::GraphProto& graph = model.graph();
  for (const auto& tensor : graph.initializer()) initializers_.try_emplace(tensor.name(), &tensor);
  for (const auto& input : graph.input())
    if (!initializers_.contains(input.name())) inputs_.push_back(input.name());
  for (const auto& output : graph.output()) outputs_.push_back(output.name());
  std::ranges::sort(inputs_);
  std::ranges::sort(outputs_);

  for (std::size_t index = 0; index < node_count(); ++index) {
    const onnx::NodeProto& read = node(index);
    for (const auto& output : read.output())
      if (!output.empty()) producers_.try_emplace(output, index);
    for (int input = 0; input < read.input_size(); ++input)
      if (!read.input(input).empty())
        uses_[read.input(input)].push_back({.node = index, .input = input});
    if (!has_body(read)) continue;
    for (const std::string& name : captures(read))
      uses_[name].push_back({.node = index, .input = -1});
  }
  for_each_graph(graph, [this](const onnx::GraphProto& each) {  // the main graph first
    for (const auto& tensor : each.initializer()) initializers_.try_emplace(tensor.name(), &tensor);
    for (const auto& held : each.node())
      if (!held.name().empty()) nodes_.try_emplace(held.name(), &held);
  });
}

const onnx::NodeProto* Graph::node_named(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : found->second;
}

const onnx::NodeProto* Graph::producer(std::string_view value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? nullptr : &node(found->second);
}

std::span<const Use> Graph::uses(std::string_view value) const {
  const auto found = uses_.find(value);
  if (found == uses_.end()) return {};
  return found->second;
}

bool Graph::is_graph_output(std::string_view value) const {
  return std::ranges::binary_search(outputs_, value);
}

bool Graph::is_graph_input(std::string_view value) const {
  return std::ranges::binary_search(inputs_, value);
}

const onnx::TensorProto* Graph::initializer(std::string_view name) const {
  const auto found = initializers_.find(name);
  return found == initializers_.end() ? nullptr : found->second;
}

const onnx::NodeProto* Graph::only_consumer(std::string_view value) const {
  const std::span<const Use> all = uses(value);
  if (all.size() != 1 || all.front().input < 0 || is_graph_output(value)) return nullptr;
  return &node(all.front().node);
}

const onnx::AttributeProto* attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& candidate : node.attribute())
    if (candidate.name() == name) return &candidate;
  return nullptr;
}

namespace {

// The attribute, checked to be of the wanted type (files of the first IR versions do not state
// one); nullptr where it is absent.
const onnx::AttributeProto* typed(const onnx::NodeProto& node, std::string_view name,
                                  onnx::AttributeProto::AttributeType type) {
  const onnx::AttributeProto* found = attribute(node, name);
  if (found == nullptr) return nullptr;
  if (found->type() != type && found->type() != onnx::AttributeProto::UNDEFINED) {
    throw_bad_input(fmt::format("node '{}' ({}): attribute '{}' is of type {} instead of {}",
                                node.name(), node.op_type(), name,
                                onnx::AttributeProto::AttributeType_Name(found->type()),
                                onnx::AttributeProto::AttributeType_Name(type)));
  }
  return found;
}

}  // namespace

std::int64_t int_attribute(const onnx::NodeProto& node, std::string_view name,
                           std::int64_t fallback) {
  const auto* found = typed(node, name, onnx::AttributeProto::INT);
  return found == nullptr ? fallback : found->i();
}

float float_attribute(const onnx::NodeProto& node, std::string_view name, float fallback) {
  const auto* found = typed(node, name, onnx::AttributeProto::FLOAT);
  return found == nullptr ? fallback : found->f();
}

std::vector<std::int64_t> ints_attribute(const onnx::NodeProto& node, std::string_view name) {
  const auto* found = typed(node, name, onnx::AttributeProto::INTS);
  if (found == nullptr) return {};
  return {found->ints().begin(), found->ints().end()};
}

std::string string_attribute(const onnx::NodeProto& node, std::string_view name,
                             std::string_view fallback) {
  const auto* found = typed(node, name, onnx::AttributeProto::STRING);
  return found == nullptr ? std::string(fallback) : found->s();
}

bool has_body(const onnx::NodeProto& node) {
  return std::ranges::any_of(
      node.attribute(), [](const auto& held) { return held.has_g() || held.graphs_size() > 0; });
}

bool in_default_domain(const onnx::NodeProto& node) {
  return node.domain().empty() || node.domain() == "ai.onnx";
}

}  // namespace ocs
