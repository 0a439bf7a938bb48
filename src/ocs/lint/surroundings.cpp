#include "ocs/lint/surroundings.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ocs/lint/engine_rewrites.h"

namespace ocs {
namespace {

constexpr std::array<std::string_view, 20> activation_functions{"Celu",
                                                                "Elu",
                                                                "Erf",
                                                                "Gelu",
                                                                "HardSigmoid",
                                                                "HardSwish",
                                                                "LeakyRelu",
                                                                "LogSoftmax",
                                                                "Mish",
                                                                "PRelu",
                                                                "Selu",
                                                                "Sigmoid",
                                                                "Softmax",
                                                                "Softplus",
                                                                "Softsign",
                                                                "Swish",
                                                                "Tanh",
                                                                "ThresholdedRelu",
                                                                "com.microsoft.Gelu",
                                                                "com.microsoft.QuickGelu"};
static_assert(std::ranges::is_sorted(activation_functions));

const Step& reader(const WorkingGraph& graph, const Edge& edge) { return graph.step(edge.step); }

std::string several(std::size_t count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

// Whether a QuantizeLinear reads what the step writes.
bool is_quantized_behind(const WorkingGraph& graph, const Step& step) {
  return std::ranges::any_of(graph.readers(step.outputs.front()),
                             [&](const Edge& edge) { return reader(graph, edge).is_quantize(); });
}

Verdict why_clamp_stays(const WorkingGraph& graph, const Step& clamp) {
  const Step* quantize = graph.only_reader(clamp.outputs.front());
  if (quantize == nullptr && is_quantized_behind(graph, clamp))
    return {LintRule::several_readers,
            fmt::format("the result of {} behind it is read by more than its QuantizeLinear",
                        called(clamp))};
  if (quantize == nullptr || !quantize->is_quantize())
    return {LintRule::clamp_behind,
            fmt::format("the result of {} behind it is read in float", called(clamp))};
  if (clamp.op == "Relu")
    return {LintRule::relu_zero_point,
            fmt::format("{} behind it stays: the zero point of its QuantizeLinear is {}, not the "
                        "lowest {}",
                        called(clamp), quantize->quantizer.zero_point,
                        type_name(quantize->quantizer.type))};
  return {LintRule::clip_inside_grid,
          fmt::format("{} behind it stays: its bounds lie inside the grid of its QuantizeLinear",
                      called(clamp))};
}

// x * sigmoid(x), written as two nodes.
bool is_gate(const WorkingGraph& graph, const std::string& value) {
  const std::span<const Edge> readers = graph.readers(value);
  const auto reads = [&](std::string_view op) {
    return std::ranges::any_of(readers,
                               [&](const Edge& edge) { return reader(graph, edge).op == op; });
  };
  return readers.size() == 2 && reads("Mul") && (reads("Sigmoid") || reads("HardSigmoid"));
}

Verdict why_none(const WorkingGraph& graph, const Step& step) {
  const std::string& value = step.outputs.front();
  const std::span<const Edge> readers = graph.readers(value);
  const auto quantizes = static_cast<std::size_t>(std::ranges::count_if(
      readers, [&](const Edge& edge) { return reader(graph, edge).is_quantize(); }));
  if (quantizes > 1 && quantizes == readers.size())
    return {LintRule::several_readers,
            fmt::format("its result is quantized {}, in different ways", several(quantizes))};
  if (quantizes > 0) {
    const auto other = std::ranges::find_if(
        readers, [&](const Edge& edge) { return !reader(graph, edge).is_quantize(); });
    return {LintRule::several_readers,
            other == readers.end()
                ? "its result is quantized and also leaves the graph, or enters a body, in float"
                : fmt::format("its result is quantized and also read in float, by {}",
                              called(reader(graph, *other)))};
  }
  if (graph.is_graph_output(value))
    return {LintRule::graph_output, "its result leaves the graph in float"};
  if (readers.empty()) return {LintRule::float_result, "nobody quantizes its result"};
  const Step& next = reader(graph, readers.front());
  if (is_gate(graph, value))
    return {LintRule::activation_between,
            fmt::format("x * {}(x) stands between it and QuantizeLinear",
                        reader(graph, readers[next.op == "Mul" ? 1 : 0]).op)};
  if (readers.size() == 1) {
    if (next.op == "Relu" || next.op == "Clip") return why_clamp_stays(graph, next);
    if (next.op == "BatchNormalization")
      return {LintRule::batchnorm_between,
              fmt::format("{} stands between it and QuantizeLinear", called(next))};
    if (is_activation_function(next.op))
      return {LintRule::activation_between,
              fmt::format("{} stands between it and QuantizeLinear", called(next))};
  }
  return {LintRule::float_result, fmt::format("its result is read in float, by {}", called(next))};
}

}  // namespace

bool is_activation_function(std::string_view op) {
  return std::ranges::binary_search(activation_functions, op);
}

std::string called(const Step& step) {
  if (step.node != nullptr && !step.node->name().empty())
    return fmt::format("{} '{}'", step.op, step.node->name());
  return step.outputs.empty() ? step.op : fmt::format("{} of '{}'", step.op, step.outputs.front());
}

Surroundings surroundings_of(const WorkingGraph& graph, const Step& step) {
  Surroundings around;
  for (const std::string& input : step.inputs) {
    const Step* source = input.empty() ? nullptr : graph.producer(input);
    const bool is_pair = source != nullptr && source->is_dequantize();
    around.in_front.push_back(is_pair ? source : nullptr);
    if (!input.empty()) ++around.inputs;
    if (is_pair) ++around.dequantized;
  }
  const Step* next = graph.only_reader(step.outputs.front());
  if (next != nullptr && (next->op == "Relu" || next->op == "Clip")) {
    const Step* quantize = graph.only_reader(next->outputs.front());
    if (quantize != nullptr && quantize->is_quantize() && is_redundant(graph, *next, *quantize)) {
      next = quantize;
    } else if (graph.readers(next->outputs.front()).size() == 1 &&
               !graph.is_graph_output(next->outputs.front())) {
      around.blocking_clamp = why_clamp_stays(graph, *next);
    }
  }
  around.has_any_behind = is_quantized_behind(graph, step);
  if (next != nullptr && next->is_quantize()) {
    around.behind = next;
  } else {
    around.why_none_behind = why_none(graph, step);
  }
  return around;
}

}  // namespace ocs
