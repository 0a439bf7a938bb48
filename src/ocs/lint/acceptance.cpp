#include "ocs/lint/acceptance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <vector>

#include <fmt/format.h>

#include "ocs/lint/computing_nodes.h"

namespace ocs {
namespace {

constexpr std::int32_t uint8 = 2;
constexpr std::int32_t int8 = 3;
constexpr std::int32_t uint16 = 4;
constexpr std::int32_t int32 = 6;
constexpr std::int32_t int4 = 22;

constexpr std::string_view nvidia =
    "docs.nvidia.com/deeplearning/tensorrt, Working with Quantized Types; NVIDIA/TensorRT#2774";
constexpr std::string_view nvidia_bias = "onnx/onnx-tensorrt#850; NVIDIA/TensorRT#4698";
constexpr std::string_view lpt = "docs.openvino.ai, Low Precision Transformations";
constexpr std::string_view qnn = "onnxruntime.ai, QNN Execution Provider";
constexpr std::string_view quark = "quark.docs.amd.com, XINT8; MQBench, user_guide/hardware/vitis";

bool is_one_of(std::int32_t type, std::initializer_list<std::int32_t> types) {
  return type == 0 || std::ranges::find(types, type) != types.end();  // 0: not known
}

// Pairs of activations beside the node: in front of its data, and behind it.
std::vector<const Step*> activations(const AcceptanceQuestion& question) {
  std::vector<const Step*> pairs;
  const std::size_t count = question.has_weights ? 1 : question.around.in_front.size();
  for (std::size_t i = 0; i < count; ++i) pairs.push_back(question.around.in_front[i]);
  pairs.push_back(question.behind);
  std::erase(pairs, nullptr);
  return pairs;
}

const Step* weights(const AcceptanceQuestion& question) {
  return question.has_weights && question.around.in_front.size() > 1 ? question.around.in_front[1]
                                                                     : nullptr;
}

const Step* bias(const AcceptanceQuestion& question) {
  return question.has_weights && question.around.in_front.size() > 2 ? question.around.in_front[2]
                                                                     : nullptr;
}

std::string other_activations(const AcceptanceQuestion& question,
                              std::initializer_list<std::int32_t> types) {
  for (const Step* pair : activations(question))
    if (!is_one_of(pair->quantizer.type, types))
      return fmt::format("activations at {} are {}", called(*pair),
                         type_name(pair->quantizer.type));
  return "";
}

std::string other_weights(const AcceptanceQuestion& question,
                          std::initializer_list<std::int32_t> types) {
  const Step* pair = weights(question);
  if (pair == nullptr || is_one_of(pair->quantizer.type, types)) return "";
  return fmt::format("its weights are {}", type_name(pair->quantizer.type));
}

std::string other_bias(const AcceptanceQuestion& question,
                       std::initializer_list<std::int32_t> types) {
  const Step* pair = bias(question);
  if (pair == nullptr || is_one_of(pair->quantizer.type, types)) return "";
  return fmt::format("its bias is {} behind a DequantizeLinear", type_name(pair->quantizer.type));
}

std::vector<const Step*> all_pairs(const AcceptanceQuestion& question) {
  std::vector<const Step*> pairs = activations(question);
  if (weights(question) != nullptr) pairs.push_back(weights(question));
  return pairs;
}

std::string zero_point_set(const AcceptanceQuestion& question) {
  for (const Step* pair : all_pairs(question))
    if (pair->quantizer.zero_point != 0)
      return fmt::format("the zero point of {} is {}", called(*pair), pair->quantizer.zero_point);
  return "";
}

std::string activations_per_channel(const AcceptanceQuestion& question) {
  for (const Step* pair : activations(question))
    if (!pair->quantizer.has_one_scale)
      return fmt::format("{} has no constant scale for the whole tensor", called(*pair));
  return "";
}

std::string weights_per_channel(const AcceptanceQuestion& question) {
  const Step* pair = weights(question);
  return pair == nullptr || pair->quantizer.has_one_scale
             ? ""
             : "its weights have a scale for each channel";
}

std::string other_than_power_of_two(const AcceptanceQuestion& question) {
  for (const Step* pair : all_pairs(question)) {
    int exponent = 0;
    if (pair->quantizer.scale > 0 && std::frexp(pair->quantizer.scale, &exponent) != 0.5)
      return fmt::format("the scale {:g} of {} is no power of two", pair->quantizer.scale,
                         called(*pair));
  }
  return "";
}

std::string result_in_float(const AcceptanceQuestion& question) {
  if (question.behind != nullptr) return "";
  const std::string& why = question.around.why_none_behind.reason;
  return why.empty() ? "its result is not quantized" : why;
}

constexpr std::array rows{
    AcceptanceRow{LintRule::activation_type, "tensorrt", "activations are int8", nvidia,
                  [](const AcceptanceQuestion& q) { return other_activations(q, {int8}); }},
    AcceptanceRow{LintRule::activation_type, "openvino", "activations are uint8 or int8", lpt,
                  [](const AcceptanceQuestion& q) {
                    return other_activations(q, {uint8, int8});
                  }},
    AcceptanceRow{LintRule::activation_type, "qnn", "activations are uint8 or uint16", qnn,
                  [](const AcceptanceQuestion& q) {
                    return other_activations(q, {uint8, uint16});
                  }},
    AcceptanceRow{LintRule::activation_type, "vitis", "activations are int8", quark,
                  [](const AcceptanceQuestion& q) { return other_activations(q, {int8}); }},
    AcceptanceRow{LintRule::weight_type, "tensorrt openvino vitis",
                  "weights beside quantized data are int8", "as for activations",
                  [](const AcceptanceQuestion& q) { return other_weights(q, {int8}); }},
    AcceptanceRow{LintRule::weight_type, "qnn", "weights are uint8, int8 or int4", qnn,
                  [](const AcceptanceQuestion& q) {
                    return other_weights(q, {uint8, int8, int4});
                  }},
    AcceptanceRow{LintRule::zero_point, "tensorrt vitis", "all zero points are 0", nvidia,
                  zero_point_set},
    AcceptanceRow{LintRule::scale_not_constant, "tensorrt openvino qnn vitis",
                  "activations have one constant scale", "as for activations",
                  activations_per_channel},
    AcceptanceRow{LintRule::per_channel_weights, "vitis", "weights have one scale for the tensor",
                  quark, weights_per_channel},
    AcceptanceRow{LintRule::power_of_two, "vitis", "scales are powers of two", quark,
                  other_than_power_of_two},
    AcceptanceRow{LintRule::quantized_bias, "tensorrt",
                  "the bias is float, not behind a DequantizeLinear", nvidia_bias,
                  [](const AcceptanceQuestion& q) { return other_bias(q, {}); }},
    AcceptanceRow{LintRule::bias_type, "openvino qnn", "a quantized bias is int32",
                  "as for activations",
                  [](const AcceptanceQuestion& q) { return other_bias(q, {int32}); }},
    AcceptanceRow{LintRule::weight_type, "vitis", "a quantized bias is int8", quark,
                  [](const AcceptanceQuestion& q) { return other_bias(q, {int8}); }},
    AcceptanceRow{LintRule::float_result, "qnn vitis",
                  "every result is quantized, those that leave the graph too", "as for activations",
                  result_in_float},
};

bool names(std::string_view list, std::string_view name) {
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(' ', at), list.size());
    if (list.substr(at, end - at) == name) return true;
    at = end + 1;
  }
  return false;
}

bool is_layer(std::string_view op) {
  return op == "Conv" || op == "ConvTranspose" || op == "Gemm" || op == "MatMul";
}

bool is_function(std::string_view op) {
  return op == "Relu" || op == "Clip" || is_activation_function(op);
}

const Step* reader_of(const WorkingGraph& graph, const Step& step) {
  const std::string& value = step.outputs.front();
  return graph.readers(value).size() == 1 && !graph.is_graph_output(value)
             ? &graph.step(graph.readers(value).front().step)
             : nullptr;
}

// These engines take Conv and the function behind it as one.
const Step* quantize_behind(const WorkingGraph& graph, const Step& step) {
  const Step* next = reader_of(graph, step);
  if (next != nullptr && is_function(next->op)) next = reader_of(graph, *next);
  return next != nullptr && next->is_quantize() ? next : nullptr;
}

Verdict judge_inputs(const JudgeInput& input, const Step& step, const Surroundings& around) {
  const std::size_t asked = is_layer(step.op) ? 2 : step.inputs.size();
  for (std::size_t i = 0; i < std::min(asked, step.inputs.size()); ++i) {
    if (around.in_front[i] != nullptr || step.inputs[i].empty()) continue;
    if (!is_layer(step.op) && i > 0 && input.graph.is_constant(step.inputs[i]))
      continue;  // axes, sizes, ...
    if (is_layer(step.op) && i == 0 && around.in_front.size() > 1 && around.in_front[1] != nullptr)
      return {LintRule::weights_only, "its weights are quantized, its data are float"};
    return float_input(input, step, around);
  }
  return {};
}

}  // namespace

std::span<const AcceptanceRow> acceptance_rows() { return rows; }

bool names_target(const AcceptanceRow& row, std::string_view target) {
  return names(row.targets, target);
}

Verdict judge_acceptance(const JudgeInput& input, const Step& step) {
  const LintTarget& target = input.target;
  if (is_integer_operator(step.op)) {
    if (names(target.q_operators, step.op)) return {};
    return {LintRule::q_operator, fmt::format("{} is an operator of the QOperator form", step.op)};
  }
  if (!step.inputs.empty() && input.integers.contains(step.inputs.front()) && moves_values(step.op))
    return {};
  const Step* ahead = step.inputs.empty() ? nullptr : input.graph.producer(step.inputs.front());
  if (is_function(step.op) && ahead != nullptr && (is_layer(ahead->op) || ahead->op == "Add") &&
      reader_of(input.graph, *ahead) == &step)
    return judge_acceptance(input, *ahead);
  if (!target.operators.empty() && !names(target.operators, step.op))
    return {LintRule::no_integer_kernel,
            fmt::format("no integer form of {} is documented", step.op)};
  const Surroundings around = surroundings_of(input.graph, step);
  if (around.dequantized == 0 && !around.has_any_behind)
    return {LintRule::not_quantized, "neither its inputs nor its result are quantized"};
  if (Verdict inputs = judge_inputs(input, step, around); inputs.rule != LintRule::integer_kernel)
    return inputs;
  const AcceptanceQuestion question{.input = input,
                                    .step = step,
                                    .around = around,
                                    .behind = quantize_behind(input.graph, step),
                                    .has_weights = is_layer(step.op)};
  for (const AcceptanceRow& row : rows) {
    if (!names_target(row, target.name)) continue;
    if (std::string complaint = row.complaint(question); !complaint.empty())
      return {row.rule, fmt::format("{}; {} asks that {}", complaint, target.name, row.what)};
  }
  return {};
}

}  // namespace ocs
