#include "ocs/report/match_values.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "ocs/graph/graph.h"

namespace ocs {
namespace {

constexpr std::array<std::string_view, 16> pass_through{"BatchNormalization",
                                                        "Relu",
                                                        "Clip",
                                                        "LeakyRelu",
                                                        "PRelu",
                                                        "Elu",
                                                        "Selu",
                                                        "Sigmoid",
                                                        "Tanh",
                                                        "HardSwish",
                                                        "Gelu",
                                                        "Mish",
                                                        "Softplus",
                                                        "HardSigmoid",
                                                        "Identity",
                                                        "Dropout"};

// The layer's first output, then the outputs of the pass-through steps behind it.
std::vector<std::string> values_behind(const Graph& graph, const onnx::NodeProto& node) {
  std::vector<std::string> values{node.output(0)};
  while (const onnx::NodeProto* next = graph.only_consumer(values.back())) {
    const bool passes = in_default_domain(*next) &&
                        std::ranges::find(pass_through, next->op_type()) != pass_through.end();
    if (!passes || next->output_size() == 0 || next->output(0).empty() ||
        next->input(0) != values.back())
      break;
    values.push_back(next->output(0));
  }
  return values;
}

bool has_value(const Graph& graph, const std::string& name) {
  return graph.producer(name) != nullptr || graph.is_graph_output(name);
}

std::optional<MatchedValue> match(const Graph& reference, const Graph& quantized,
                                  const onnx::NodeProto& node) {
  const std::vector<std::string> values = values_behind(reference, node);
  for (const std::string& value : values) {
    const std::string dequantized = value + "_DequantizeLinear_Output";
    if (has_value(quantized, dequantized))
      return MatchedValue{.node = node.name(), .reference = value, .quantized = dequantized};
  }
  for (const std::string& value : values) {
    if (has_value(quantized, value))
      return MatchedValue{.node = node.name(), .reference = value, .quantized = value};
  }
  return std::nullopt;
}

}  // namespace

std::vector<MatchedValue> match_values(const Model& reference, const Model& quantized,
                                       const std::vector<std::string>& nodes) {
  const Graph reference_graph(reference);
  const Graph quantized_graph(quantized);
  std::vector<MatchedValue> matches;
  for (const std::string& name : nodes) {
    const onnx::NodeProto* node = reference_graph.node_named(name);
    if (node == nullptr || node->output_size() == 0 || node->output(0).empty()) continue;
    if (auto found = match(reference_graph, quantized_graph, *node))
      matches.push_back(std::move(*found));
  }
  return matches;
}

}  // namespace ocs
