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
    return {
        LintRule::signed_activations,
        fmt::format("its input '{}' is int8, {}", data.inputs.front(),
                    data.quantizer.has_zero_point ? "and more than one node reads these integers"
                                                  : "and its DequantizeLinear has no zero point")};
  return {};
}

Verdict judge_scales(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (Verdict type = judge_scale_type(around); type.rule != LintRule::integer_kernel) return type;
  if (Verdict data = judge_data_scales(step, around); data.rule != LintRule::integer_kernel)
    return data;
  return judge_weight_scales(input, step, around);
}

Verdict judge_bias(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (!step.has_input(2)) return {};
  const Step* bias = around.in_front_of(2);
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
  const Step* bias = around.in_front_of(2);
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

}  // namespace

Verdict judge_conv(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (around.dequantized == 0 && !around.has_any_behind) return not_quantized();
  const Step* data = around.in_front_of(0);
  const Step* weight = around.in_front_of(1);
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
  if (Verdict integers = judge_integers(input, *data, *weight, around.behind, false);
      integers.rule != LintRule::integer_kernel)
    return integers;
  return judge_scales(input, step, around);
}

Verdict judge_matmul(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (around.dequantized == 0 && !around.has_any_behind) return not_quantized();
  const Step* left = around.in_front_of(0);
  const Step* right = around.in_front_of(1);
  if (left == nullptr || is_wide(left)) return judge_weights_only(input, step, around);
  if (right == nullptr) return float_input(input, step, around);
  if (Verdict width = judge_integers(input, *left, *right, around.behind, false);
      width.rule != LintRule::integer_kernel)
    return width;
  // Without a QuantizeLinear behind, a kernel that gives floats takes its place.
  if (around.blocking_clamp.rule != LintRule::integer_kernel) return around.blocking_clamp;
  if (around.has_any_behind && around.behind == nullptr) return around.why_none_behind;
  return judge_scales(input, step, around);
}

Verdict judge_gemm(const JudgeInput& input, const Step& step, const Surroundings& around) {
  if (around.dequantized == 0 && !around.has_any_behind) return not_quantized();
  const Step* data = around.in_front_of(0);
  const Step* weight = around.in_front_of(1);
  if (data == nullptr || is_wide(data)) return judge_weights_only(input, step, around);
  if (weight == nullptr) return float_input(input, step, around);
  if (around.blocking_clamp.rule != LintRule::integer_kernel) return around.blocking_clamp;
  if (around.has_any_behind && around.behind == nullptr) return around.why_none_behind;
  if (Verdict bias = judge_bias(input, step, around); bias.rule != LintRule::integer_kernel)
    return bias;
  if (step.has_input(2) && step.node->op_type() == "Gemm") {
    if (float_attribute(*step.node, "alpha", 1.0F) != 1.0F)
      return {LintRule::gemm_form, "alpha is not 1"};
    if (float_attribute(*step.node, "beta", 1.0F) != 1.0F)
      return {LintRule::gemm_form, "beta is not 1"};
  }
  if (Verdict integers = judge_integers(input, *data, *weight, around.behind, true);
      integers.rule != LintRule::integer_kernel)
    return integers;
  Verdict verdict = judge_scales(input, step, around);
  // Nobody looks at the scale of the bias here: it is added to the sums as it stands.
  if (const Verdict scale = judge_bias_scale(around);
      verdict.rule == LintRule::integer_kernel && scale.rule != LintRule::integer_kernel)
    verdict.warning += (verdict.warning.empty() ? "" : "; ") + scale.reason +
                       "; the kernel adds it as if it were, so results are wrong";
  return verdict;
}

}  // namespace ocs
