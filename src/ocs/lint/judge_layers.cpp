// Conv, MatMul and Gemm.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ocs/graph/graph.h"
#include "ocs/lint/judge.h"

namespace ocs {
namespace {

constexpr std::int32_t type_int8 = 3;
constexpr std::int32_t type_int32 = 6;

const Step* in_front_of(const Surroundings& around, std::size_t input) {
  return input < around.in_front.size() ? around.in_front[input] : nullptr;
}

bool has_input(const Step& step, std::size_t input) {
  return input < step.inputs.size() && !step.inputs[input].empty();
}

Verdict not_quantized() {
  return {LintRule::not_quantized, "neither its inputs nor its result are quantized"};
}

// What all three ask of data, weights and, where there is one, of the result.
Verdict judge_integers(const JudgeInput& input, const Step& data, const Step& weight,
                       const Step* behind, bool takes_signed) {
  const std::int32_t type = data.quantizer.type;
  if (Verdict width = judge_width(data, "its data"); width.rule != LintRule::integer_kernel)
    return width;
  if (Verdict width = judge_width(weight, "its weights"); width.rule != LintRule::integer_kernel)
    return width;
  if (behind != nullptr && behind->quantizer.type != type)
    return {LintRule::mixed_types, fmt::format("its input is {}, its result {}", type_name(type),
                                               type_name(behind->quantizer.type))};
  if (type == type_int8 && weight.quantizer.type != type)
    return {LintRule::mixed_types,
            fmt::format("its input is int8, its weights are {}", type_name(weight.quantizer.type))};
  if (type == type_int8 && !takes_signed && !input.target.signed_is_integer)
    return {LintRule::signed_activations,
            fmt::format("its input '{}' is int8, and more than one node reads these integers",
                        data.inputs.front())};
  return {};
}

Verdict judge_bias(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (!has_input(step, 2)) return {};
  const Step* bias = in_front_of(around, 2);
  if (bias == nullptr && step.node->op_type() == "MatMul")
    return {LintRule::float_bias, fmt::format("the engine makes one Gemm of MatMul and Add, whose "
                                              "bias '{}' is float and whose result "
                                              "no QuantizeLinear reads",
                                              step.inputs[2])};
  if (bias == nullptr)
    return {LintRule::float_bias,
            input.graph.is_constant(step.inputs[2])
                ? fmt::format(
                      "its bias '{}' is float and its form is not one that the engine quantizes "
                      "itself",
                      step.inputs[2])
                : fmt::format("its bias '{}' is computed in float", step.inputs[2])};
  if (bias->quantizer.type != type_int32)
    return {LintRule::bias_type, fmt::format("its bias is {}", type_name(bias->quantizer.type))};
  return {};
}

// Whether the kernel may add the bias to its sums as it stands: scale input scale * weight scale, in each channel.
bool has_bias_scale(const Quantizer& data, const Quantizer& weight, const Quantizer& bias) {
  constexpr double tolerance = 0.01;
  if (bias.scales.empty() || weight.scales.empty()) return false;
  const std::size_t channels = std::max(bias.scales.size(), weight.scales.size());
  const auto at = [&](const Quantizer& grid, std::size_t channel) {
    return static_cast<double>(grid.scales[grid.scales.size() == 1 ? 0 : channel]);
  };
  if (bias.scales.size() != 1 && bias.scales.size() != channels) return false;
  if (weight.scales.size() != 1 && weight.scales.size() != channels) return false;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double wanted = data.scale * at(weight, channel);
    if (std::abs(at(bias, channel) - wanted) > tolerance * std::abs(wanted)) return false;
  }
  return true;
}

Verdict judge_bias_scale(const Surroundings& around) {
  const Step* bias = in_front_of(around, 2);
  if (bias == nullptr || bias->node == nullptr)
    return {};  // none, or the engine quantizes it itself
  const Quantizer& data = around.in_front[0]->quantizer;
  const Quantizer& weight = around.in_front[1]->quantizer;
  if (bias->quantizer.zero_point != 0)
    return {LintRule::bias_type, "the zero point of its bias is not 0"};
  if (has_bias_scale(data, weight, bias->quantizer)) return {};
  return {LintRule::bias_scale,
          fmt::format("the scale of its bias '{}' is {:g}, input scale * weight scale is {:g}{}",
                      bias->inputs.front(), bias->quantizer.scale, data.scale * weight.scale,
                      weight.scales.size() > 1 ? " in the first channel" : "")};
}

// Float data and quantized weights: what keeps MatMulNBits from them.
Verdict judge_nbits(const JudgeInput& input, const Step& step, const Step& weight) {
  const auto refuse = [](std::string why) { return Verdict{LintRule::nbits_form, std::move(why)}; };
  const Quantizer& grid = weight.quantizer;
  const std::string& stored = weight.inputs.front();
  const onnx::TensorProto* integers = input.graph.constant(stored);
  if (integers == nullptr || !grid.is_constant)
    return refuse("its weights or their scales are computed");
  if (integers->dims_size() != 2) return refuse("its weights are no matrix");
  if (input.graph.readers(stored).size() > 1)
    return refuse("its weights have other readers as well");
  if (input.graph.is_shared(weight.inputs[1]))
    return refuse(fmt::format(
        "its scale '{}' has other readers, or equals another constant, which makes one of both",
        weight.inputs[1]));
  if (bits_of_type(integers->data_type()) > 8 || bits_of_type(integers->data_type()) == 0)
    return refuse(fmt::format("its weights are {}", type_name(integers->data_type())));
  if (step.op == "Gemm") {
    if (int_attribute(*step.node, "transB", 0) != 0)
      return refuse("its weights are stored transposed");
    if (int_attribute(*step.node, "transA", 0) != 0) return refuse("its data are transposed");
    if (float_attribute(*step.node, "alpha", 1.0F) != 1.0F) return refuse("alpha is not 1");
    if (has_input(step, 2) && float_attribute(*step.node, "beta", 1.0F) != 1.0F)
      return refuse("beta is not 1");
    const Shape* bias = has_input(step, 2) ? input.graph.stated_shape(step.inputs[2]) : nullptr;
    if (has_input(step, 2) && input.graph.is_constant(step.inputs[2]) && bias != nullptr &&
        (bias->size() != 1 || bias->front() != integers->dims(1)))
      return refuse("its bias is no vector with a value for each column");
  }
  if (grid.block_size > 0) {
    if (grid.axis != 0 && grid.axis != -2) return refuse("its blocks run along the columns");
    if (grid.block_size < 16 || (grid.block_size & (grid.block_size - 1)) != 0)
      return refuse(fmt::format("its blocks have {} rows, not 16, 32, 64, ...", grid.block_size));
    return {};
  }
  if (grid.scale_shape.empty()) return {};
  if (grid.scale_shape.size() != 1 || grid.scale_shape.front() != integers->dims(1) ||
      grid.axis != 1)
    return refuse("its scales are neither one for the tensor nor one for each column");
  return {};
}

// Data of 16 bits: the engine gives them to MatMulNBits as floats.
bool is_wide(const Step* data) {
  return data != nullptr && bits_of_type(data->quantizer.type) == 16;
}

Verdict judge_weights_only(const JudgeInput& input, const Step& step, const Surroundings& around) {
  const bool is_quantized_behind = around.behind != nullptr || around.has_any_behind;
  if (is_quantized_behind && !is_wide(in_front_of(around, 0)))
    return float_input(input, step, around);
  const Step* weight = in_front_of(around, 1);
  if (weight == nullptr) return float_input(input, step, around);
  if (step.op == "Conv")
    return {LintRule::weights_only, "its weights are quantized, its data are float"};
  if (around.blocking_clamp.rule != LintRule::integer_kernel) return around.blocking_clamp;
  return judge_nbits(input, step, *weight);
}

}  // namespace

Verdict judge_conv(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (around.dequantized == 0 && !around.has_any_behind) return not_quantized();
  const Step* data = in_front_of(around, 0);
  const Step* weight = in_front_of(around, 1);
  if (data == nullptr) return judge_weights_only(input, step, around);
  if (weight == nullptr) {
    if (around.behind == nullptr) return around.why_none_behind;
    return float_input(input, step, around);
  }
  if (around.behind == nullptr) return around.why_none_behind;
  if (Verdict bias = judge_bias(input, step, around); bias.rule != LintRule::integer_kernel)
    return bias;
  if (Verdict scale = judge_bias_scale(around); scale.rule != LintRule::integer_kernel)
    return scale;
  return judge_integers(input, *data, *weight, around.behind, false);
}

Verdict judge_matmul(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (around.dequantized == 0 && !around.has_any_behind) return not_quantized();
  const Step* left = in_front_of(around, 0);
  const Step* right = in_front_of(around, 1);
  if (left == nullptr || is_wide(left)) return judge_weights_only(input, step, around);
  if (right == nullptr) return float_input(input, step, around);
  if (Verdict width = judge_integers(input, *left, *right, around.behind, false);
      width.rule != LintRule::integer_kernel)
    return width;
  // Without a QuantizeLinear behind, a kernel that gives floats takes its place.
  if (around.blocking_clamp.rule != LintRule::integer_kernel) return around.blocking_clamp;
  if (around.has_any_behind && around.behind == nullptr) return around.why_none_behind;
  return {};
}

Verdict judge_gemm(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (around.dequantized == 0 && !around.has_any_behind) return not_quantized();
  const Step* data = in_front_of(around, 0);
  const Step* weight = in_front_of(around, 1);
  if (data == nullptr || is_wide(data)) return judge_weights_only(input, step, around);
  if (weight == nullptr) return float_input(input, step, around);
  if (around.blocking_clamp.rule != LintRule::integer_kernel) return around.blocking_clamp;
  if (around.has_any_behind && around.behind == nullptr) return around.why_none_behind;
  if (Verdict bias = judge_bias(input, step, around); bias.rule != LintRule::integer_kernel)
    return bias;
  if (has_input(step, 2) && step.node->op_type() == "Gemm") {
    if (float_attribute(*step.node, "alpha", 1.0F) != 1.0F)
      return {LintRule::gemm_form, "alpha is not 1"};
    if (float_attribute(*step.node, "beta", 1.0F) != 1.0F)
      return {LintRule::gemm_form, "beta is not 1"};
  }
  Verdict verdict = judge_integers(input, *data, *weight, around.behind, true);
  // Nobody looks at the scale of the bias here: it is added to the sums as it stands.
  if (const Verdict scale = judge_bias_scale(around);
      verdict.rule == LintRule::integer_kernel && scale.rule != LintRule::integer_kernel)
    verdict.warning = scale.reason + "; the kernel adds it as if it were, so results are wrong";
  return verdict;
}

}  // namespace ocs
