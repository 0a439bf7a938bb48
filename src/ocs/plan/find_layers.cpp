#include "ocs/plan/find_layers.h"

#include <algorithm>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"
#include "ocs/plan/plan_embeddings.h"

namespace ocs {
namespace {

std::string input_name(const onnx::NodeProto& node, int index) {
  return index >= 0 && index < node.input_size() ? node.input(index) : "";
}

// Why a node with a row in the table cannot be a layer, "" where it can.
std::string refusal(const Graph& graph, const onnx::NodeProto& node, const Operand& operand) {
  const onnx::TensorProto* weight = graph.initializer(input_name(node, operand.weight_input));
  if (weight == nullptr) return "its weight is computed, not constant";
  if (weight->data_type() != onnx::TensorProto::FLOAT) return "its weight is not of type float";
  if (element_count(*weight) == 0) return "its weight is empty";
  const std::string bias = operand.bias_input ? input_name(node, *operand.bias_input) : "";
  if (!bias.empty() && graph.initializer(bias) == nullptr)
    return "its bias is computed, not constant";
  return "";
}

void add_layers(const Graph& graph, const onnx::NodeProto& node, bool is_in_body,
                FoundLayers& found) {
  for_each_body(node, [&](const onnx::GraphProto& body) {
    for (const onnx::NodeProto& inner : body.node()) add_layers(graph, inner, true, found);
  });
  const LinearOp* op = find_linear_op(node);
  if (op == nullptr) return;
  const Operands operands = op->operands(node, graph);
  if (const auto* reason = std::get_if<std::string>(&operands)) {
    found.skipped.push_back({.node = node.name(), .op = node.op_type(), .reason = *reason});
    return;
  }
  for (const Operand& operand : std::get<std::vector<Operand>>(operands)) {
    if (const std::string reason = refusal(graph, node, operand); !reason.empty()) {
      found.skipped.push_back({.node = node.name(),
                               .part = std::string(operand.part),
                               .op = node.op_type(),
                               .reason = reason});
      continue;
    }
    found.layers.push_back({.node = node.name(),
                            .op = op,
                            .operand = operand,
                            .data = data_of(node, operand),
                            .weight = input_name(node, operand.weight_input),
                            .bias = operand.bias_input ? input_name(node, *operand.bias_input) : "",
                            .result = result_of(node),
                            .position = {.part = operand.part},
                            .is_in_body = is_in_body});
  }
}

}  // namespace

bool is_recurrent_model(const Model& model) {
  bool found = false;
  for_each_graph(model.graph(), [&](const onnx::GraphProto& graph) {
    for (const onnx::NodeProto& node : graph.node()) {
      const LinearOp* op = find_linear_op(node);
      found = found || (op != nullptr && op->is_recurrent);
    }
  });
  return found;
}

FoundLayers find_all_layers(const Graph& graph) {
  FoundLayers found;
  for (std::size_t i = 0; i < graph.node_count(); ++i)
    add_layers(graph, graph.node(i), false, found);
  // All layers of a node stand at its place.
  const bool is_recurrent = is_recurrent_model(graph.model());
  for (Layer& layer : found.layers) {
    layer.is_in_recurrent_model = is_recurrent;
    layer.position.first = layer.node == found.layers.front().node;
    layer.position.last = layer.node == found.layers.back().node;
  }
  return found;
}

namespace {

void require_match(const std::vector<Layer>& layers, const std::vector<std::string>& embeddings,
                   const std::string& pattern, std::string_view option) {
  const bool any = std::ranges::any_of(
      layers, [&](const Layer& layer) { return matches(pattern, layer.node, layer.position); });
  const bool any_embedding = std::ranges::any_of(
      embeddings, [&](const std::string& node) { return matches(pattern, node, {}); });
  if (any || any_embedding) return;
  std::vector<std::string> names = embeddings;
  for (const Layer& layer : layers) names.push_back(layer_name(layer.id()));
  throw_bad_input(fmt::format("{} '{}' matches no layer of the model{}", option, pattern,
                              did_you_mean(pattern, names)));
}

}  // namespace

FoundLayers find_layers(const Graph& graph, const Recipe& recipe) {
  FoundLayers found = find_all_layers(graph);
  const std::vector<std::string> embeddings =
      recipe.quantize_embeddings ? find_embeddings(graph) : std::vector<std::string>{};
  for (const std::string& pattern : recipe.keep_float)
    require_match(found.layers, embeddings, pattern, "keep_float pattern");
  for (const Override& change : recipe.overrides)
    require_match(found.layers, embeddings, change.pattern, "override pattern");

  const bool first_float = recipe.first_float && !is_recurrent_model(graph.model());
  std::vector<Layer> kept;
  for (Layer& layer : found.layers) {
    const auto keeps = [&](const std::string& pattern) {
      return matches(pattern, layer.node, layer.position);
    };
    const auto pattern = std::ranges::find_if(recipe.keep_float, keeps);
    std::string reason;
    if (pattern != recipe.keep_float.end()) reason = "kept float by the pattern '" + *pattern + "'";
    if (first_float && layer.position.first) reason = "the recipe keeps the first layer float";
    if (reason.empty()) {
      kept.push_back(std::move(layer));
    } else {
      found.skipped.push_back({.node = layer.node,
                               .part = std::string(layer.operand.part),
                               .op = std::string(layer.op->op_type),
                               .reason = reason});
    }
  }
  found.layers = std::move(kept);
  return found;
}

}  // namespace ocs
