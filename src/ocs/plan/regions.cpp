#include "ocs/plan/regions.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

std::optional<float> scalar_of(const Graph& graph, const onnx::NodeProto& node, int input) {
  if (input >= node.input_size() || node.input(input).empty()) return std::nullopt;
  const onnx::TensorProto* tensor = graph.initializer(node.input(input));
  if (tensor == nullptr || tensor->data_type() != onnx::TensorProto::FLOAT ||
      element_count(*tensor) != 1)
    return std::nullopt;
  return read_tensor(graph, tensor->name()).as<float>()[0];
}

bool is_given(const onnx::NodeProto& node, int input) {
  return input < node.input_size() && !node.input(input).empty();
}

// Bounds of a Relu or of a Clip whose bounds are constant and hold zero; nothing for any other
// node.
struct ActivationBounds {
  std::optional<float> low{};
  std::optional<float> high{};
};
std::optional<ActivationBounds> bounds_of(const Graph& graph, const onnx::NodeProto& node) {
  if (!in_default_domain(node)) return std::nullopt;
  if (node.op_type() == "Relu") return ActivationBounds{.low = 0.0F};
  if (node.op_type() != "Clip") return std::nullopt;
  const ActivationBounds bounds{.low = scalar_of(graph, node, 1),
                                .high = scalar_of(graph, node, 2)};
  if (is_given(node, 1) != bounds.low.has_value() || is_given(node, 2) != bounds.high.has_value())
    return std::nullopt;
  if (bounds.low.value_or(0.0F) > 0.0F || bounds.high.value_or(1.0F) <= 0.0F) return std::nullopt;
  return bounds;
}

// The growing of regions over one graph. Answers are kept, so that each value is judged once.
class Grower {
 public:
  Grower(const Graph& graph, const std::vector<Layer>& layers, bool wants_outputs)
      : graph_(graph), wants_outputs_(wants_outputs) {
    for (const Layer& layer : layers) {
      layer_nodes_.insert(layer.node);
      layer_inputs_.insert(layer.data);
      if (layer.op->op_type == "Conv") integer_results_.insert(layer.node);
      if (layer.op->op_type == "Gemm" || layer.op->op_type == "MatMul")
        integer_results_.insert(layer.node);
    }
    // In graph order, so that a long chain of nodes is no deep recursion.
    for (std::size_t i = 0; i < graph.node_count(); ++i)
      for (const std::string& value : graph.node(i).output()) (void)is_integer_source(value);
    for (std::size_t i = graph.node_count(); i-- > 0;)
      for (const std::string& value : graph.node(i).output()) (void)is_wanted(value);
  }

  // Whether `value` comes out of an integer kernel once its Q stands on it.
  bool is_integer_source(const std::string& value) {
    const auto [found, is_new] = sources_.try_emplace(value, false);
    if (!is_new) return found->second;
    const bool answer = judge_source(value);
    sources_[value] = answer;
    return answer;
  }

  // Whether a quantized layer reads `value`, directly or through steps that can be integer.
  bool is_wanted(const std::string& value) {
    const auto [found, is_new] = wanted_.try_emplace(value, false);
    if (!is_new) return found->second;
    const bool answer = judge_wanted(value);
    wanted_[value] = answer;
    return answer;
  }

  // A step without weights that runs on integers: all inputs are integer, and something behind
  // needs it so, or it has far fewer results than inputs, which all would have to be dequantized.
  bool is_integer_step(const onnx::NodeProto& node) {
    return may_be_integer(node) && inputs_are_integer(node) &&
           (is_pool(node) || is_wanted(behind_activation(graph_, node.output(0))));
  }

  // Why a step that has an integer kernel stays float, "" for any other node and where nothing
  // before it is integer either.
  std::string why_float(const onnx::NodeProto& node) {
    if (!may_be_integer(node)) return "";
    const std::vector<std::string> inputs = data_inputs(node);
    if (std::ranges::none_of(inputs,
                             [&](const std::string& input) { return is_integer_source(input); }))
      return "";
    if (!inputs_are_integer(node))
      return node.op_type() + " stays float: not all of its inputs are integer";
    return node.op_type() +
           " stays float: no quantized layer reads it through steps with integer kernels";
  }

  [[nodiscard]] bool is_layer(const onnx::NodeProto& node) const {
    return layer_nodes_.contains(node.name());
  }

  // Inputs of a step that carry data (a Reshape's shape does not).
  static std::vector<std::string> data_inputs(const onnx::NodeProto& node) {
    const ChannelRule* rule = find_channel_rule(node);
    std::vector<std::string> inputs;
    const int count =
        rule != nullptr && rule->recombines ? node.input_size() : std::min(1, node.input_size());
    for (int i = 0; i < count; ++i) inputs.push_back(node.input(i));
    return inputs;
  }

 private:
  static bool is_pool(const onnx::NodeProto& node) {
    return in_default_domain(node) &&
           (node.op_type() == "GlobalAveragePool" || node.op_type() == "AveragePool" ||
            node.op_type() == "MaxPool");
  }

  static bool may_be_integer(const onnx::NodeProto& node) {
    const ChannelRule* rule = find_channel_rule(node);
    return rule != nullptr && (rule->keeps_values || rule->recombines) && node.output_size() == 1;
  }

  bool inputs_are_integer(const onnx::NodeProto& node) {
    const std::vector<std::string> inputs = data_inputs(node);
    return !inputs.empty() && std::ranges::all_of(inputs, [&](const std::string& input) {
      return graph_.initializer(input) == nullptr &&
             (layer_inputs_.contains(input) || is_integer_source(input));
    });
  }

  bool judge_source(const std::string& value) {
    const onnx::NodeProto* node = graph_.producer(value);
    if (node == nullptr) return false;
    if (bounds_of(graph_, *node) && behind_activation(graph_, node->input(0)) == value) {
      node = graph_.producer(node->input(0));
      if (node == nullptr) return false;
    }
    if (is_layer(*node)) return integer_results_.contains(node->name());
    return may_be_integer(*node) && inputs_are_integer(*node);
  }

  bool judge_wanted(const std::string& value) {
    if (layer_inputs_.contains(value)) return true;
    if (wants_outputs_ && graph_.is_graph_output(value)) return true;
    return std::ranges::any_of(graph_.uses(value), [&](const Use& use) {
      if (use.input < 0) return false;
      const onnx::NodeProto& node = graph_.node(use.node);
      if (bounds_of(graph_, node) && behind_activation(graph_, value) == node.output(0))
        return is_wanted(node.output(0));
      return is_integer_step(node);
    });
  }

  const Graph& graph_;
  bool wants_outputs_;
  std::set<std::string> layer_nodes_{};
  std::set<std::string> layer_inputs_{};
  std::set<std::string> integer_results_{};
  std::map<std::string, bool> sources_{};
  std::map<std::string, bool> wanted_{};
};

void note_bounds(const Graph& graph, Regions& regions) {
  for (const std::string& value : regions.quantized) {
    const onnx::NodeProto* node = graph.producer(value);
    if (node == nullptr) continue;
    const auto bounds = bounds_of(graph, *node);
    if (!bounds) continue;
    if (bounds->high) regions.upper_bound[value] = *bounds->high;
    if (bounds->low && *bounds->low < 0.0F) regions.lower_bound[value] = *bounds->low;
    if (bounds->low && *bounds->low == 0.0F) regions.not_negative.insert(value);
  }
}

}  // namespace

std::string behind_activation(const Graph& graph, const std::string& value) {
  const onnx::NodeProto* next = graph.only_consumer(value);
  if (next == nullptr || next->input(0) != value || !bounds_of(graph, *next)) return value;
  return next->output(0);
}

Regions find_regions(const Graph& graph, const std::vector<Layer>& layers, ActScope scope,
                     bool quantizes_results) {
  Regions regions;
  for (const Layer& layer : layers) regions.quantized.insert(layer.data);
  if (scope == ActScope::inputs) {
    regions.float_values = regions.quantized;
    note_bounds(graph, regions);
    return regions;
  }
  Grower grower(graph, layers, quantizes_results);
  for (const Layer& layer : layers) {
    // A Gemm or MatMul is fused with a float result too; a Conv only with a quantized one.
    const std::string result = behind_activation(graph, layer.result);
    if (layer.op->op_type == "Conv" || (layer.op->op_type != "ConvTranspose" &&
                                        !layer.op->is_recurrent && grower.is_wanted(result)))
      regions.quantized.insert(result);
  }
  for (std::size_t i = 0; i < graph.node_count(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    if (grower.is_layer(node)) continue;
    if (!grower.is_integer_step(node)) {
      const std::string reason = grower.why_float(node);
      if (!reason.empty()) regions.notes.push_back({.node = node.name(), .text = reason});
      continue;
    }
    const std::string result = behind_activation(graph, node.output(0));
    regions.integer_steps.insert(node.name());
    regions.quantized.insert(result);
    for (const std::string& input : Grower::data_inputs(node)) regions.quantized.insert(input);
    const ChannelRule* rule = find_channel_rule(node);
    // A step that only moves values keeps their scale; an activation behind it would change the
    // range.
    if (rule->keeps_values && result == node.output(0)) {
      const auto source = regions.scale_source.find(node.input(0));
      regions.scale_source[result] =
          source == regions.scale_source.end() ? node.input(0) : source->second;
    }
  }
  for (const std::string& value : regions.quantized)
    if (!grower.is_integer_source(value)) regions.float_values.insert(value);
  note_bounds(graph, regions);
  return regions;
}

}  // namespace ocs
