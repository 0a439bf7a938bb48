// What keeps a node from an integer kernel, one row a rule: what it means, what it costs, what to change and where it is known from.
#pragma once

#include <span>
#include <string_view>

namespace ocs {

enum class LintRule {
  integer_kernel,  // nothing: the node runs on integers
  not_quantized,
  float_input,
  float_result,
  graph_output,
  several_readers,
  activation_between,
  batchnorm_between,
  clamp_behind,
  relu_zero_point,
  clip_inside_grid,
  signed_activations,
  mixed_types,
  sixteen_bits,
  narrow_weights,
  float_bias,
  bias_type,
  bias_scale,
  gemm_form,
  weights_only,
  nbits_form,
  different_scales,
  scale_not_constant,
  scale_shape,
  scale_type,
  weight_scales,
  zero_point_missing,
  old_opset,
  activation_type,
  weight_type,
  zero_point,
  per_channel_weights,
  power_of_two,
  quantized_bias,
  q_operator,
  in_body,
  no_integer_kernel,
  engine_refuses,
};

struct LintRuleRow {
  LintRule rule{};
  std::string_view name{};  // in answers
  std::string_view what{};
  std::string_view cost{};
  std::string_view fix{};
  std::string_view source{};  // "test": tests/lint holds it against the engine
};

[[nodiscard]] std::span<const LintRuleRow> lint_rules();  // in the order of LintRule
[[nodiscard]] const LintRuleRow& lint_rule(LintRule rule);

}  // namespace ocs
