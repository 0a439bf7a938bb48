#include "ocs/lint/rules.h"

#include <algorithm>
#include <array>

namespace ocs {
namespace {

constexpr std::string_view runs_in_float =
    "a float kernel, between a DequantizeLinear and a QuantizeLinear that now run as well";

constexpr std::array rows{
    LintRuleRow{.rule = LintRule::integer_kernel,
                .name = "integer-kernel",
                .what = "the node runs on integers, or is part of a kernel that does",
                .cost = "",
                .fix = "",
                .source = "test"},
    LintRuleRow{.rule = LintRule::not_quantized,
                .name = "not-quantized",
                .what = "neither its inputs nor its result are quantized",
                .cost = "a float kernel, as in the float model",
                .fix = "quantize its inputs and its result, if its accuracy allows that",
                .source = "test"},
    LintRuleRow{.rule = LintRule::float_input,
                .name = "float-input",
                .what = "an input comes from no DequantizeLinear",
                .cost = runs_in_float,
                .fix = "put QuantizeLinear and DequantizeLinear on that input",
                .source = "test"},
    LintRuleRow{.rule = LintRule::float_result,
                .name = "float-result",
                .what = "its result is read in float, not by a QuantizeLinear",
                .cost = runs_in_float,
                .fix = "put QuantizeLinear and DequantizeLinear on its result, ahead of the reader",
                .source = "test"},
    LintRuleRow{.rule = LintRule::graph_output,
                .name = "graph-output",
                .what = "its result leaves the graph in float",
                .cost = runs_in_float,
                .fix = "put QuantizeLinear and DequantizeLinear between it and the graph output",
                .source = "test"},
    LintRuleRow{
        .rule = LintRule::several_readers,
        .name = "several-readers",
        .what = "its result is read by more than the one QuantizeLinear",
        .cost = runs_in_float,
        .fix = "let every reader take the value behind one QuantizeLinear and DequantizeLinear",
        .source = "test"},
    LintRuleRow{.rule = LintRule::activation_between,
                .name = "activation-between",
                .what = "an activation function stands between it and the QuantizeLinear",
                .cost = runs_in_float,
                .fix = "put QuantizeLinear and DequantizeLinear ahead of the function too",
                .source = "test"},
    LintRuleRow{.rule = LintRule::batchnorm_between,
                .name = "batchnorm-between",
                .what = "a BatchNormalization stands between it and the QuantizeLinear",
                .cost = runs_in_float,
                .fix = "fold the BatchNormalization into the weights before quantizing",
                .source = "test"},
    LintRuleRow{.rule = LintRule::clamp_behind,
                .name = "clamp-behind",
                .what = "a Relu or Clip stands behind it whose result is read in float",
                .cost = runs_in_float,
                .fix = "put QuantizeLinear and DequantizeLinear behind the Relu or Clip",
                .source = "test"},
    LintRuleRow{
        .rule = LintRule::relu_zero_point,
        .name = "relu-zero-point",
        .what = "the QuantizeLinear behind its Relu has a zero point above the lowest integer",
        .cost = runs_in_float,
        .fix = "use zero point 0 with uint8 (-128 with int8) behind Relu",
        .source = "test"},
    LintRuleRow{
        .rule = LintRule::clip_inside_grid,
        .name = "clip-inside-grid",
        .what = "the Clip behind it cuts off values that the grid of the QuantizeLinear holds",
        .cost = runs_in_float,
        .fix = "choose the scale so that the grid lies inside the Clip's bounds, or clip the "
               "integers behind QuantizeLinear",
        .source = "test"},
    LintRuleRow{.rule = LintRule::signed_activations,
                .name = "signed-activations",
                .what =
                    "its activations are int8 and cannot be made uint8: more than one node reads "
                    "the integers",
                .cost = runs_in_float,
                .fix = "quantize activations to uint8",
                .source = "test"},
    LintRuleRow{.rule = LintRule::mixed_types,
                .name = "mixed-types",
                .what = "the integers of its inputs and of its result have different types",
                .cost = runs_in_float,
                .fix = "use one type for the activations on both sides",
                .source = "test"},
    LintRuleRow{
        .rule = LintRule::sixteen_bits,
        .name = "sixteen-bits",
        .what = "the kernel has no form for integers of 16 bits",
        .cost =
            "a float kernel between Quantize- and DequantizeLinear: slower than the float model",
        .fix = "use 8 bits, or keep the node in float without Quantize- and DequantizeLinear",
        .source = "test"},
    LintRuleRow{
        .rule = LintRule::narrow_weights,
        .name = "narrow-weights",
        .what = "the kernel has no form for weights of 2 or 4 bits",
        .cost = "weights dequantized at every run and a float kernel: slower than the float model",
        .fix = "store the integers as int8, or set session.disable_quant_qdq=1 to have them "
               "dequantized once",
        .source = "test"},
    LintRuleRow{
        .rule = LintRule::float_bias,
        .name = "float-bias",
        .what = "its bias is float, in a form that the engine does not quantize itself",
        .cost = runs_in_float,
        .fix =
            "store the bias as int32 behind a DequantizeLinear, scale input scale * weight scale; "
            "or let a QuantizeLinear follow, then the engine quantizes a constant vector itself",
        .source = "test"},
    LintRuleRow{.rule = LintRule::bias_type,
                .name = "bias-type",
                .what = "its bias is quantized to another type than int32",
                .cost = runs_in_float,
                .fix = "store the bias as int32, scale input scale * weight scale, zero point 0",
                .source = "test"},
    LintRuleRow{.rule = LintRule::bias_scale,
                .name = "bias-scale",
                .what = "the scale of its bias is not input scale * weight scale, within 1%",
                .cost = runs_in_float,
                .fix = "quantize the bias again with that scale and zero point 0",
                .source = "test"},
    LintRuleRow{.rule = LintRule::gemm_form,
                .name = "gemm-form",
                .what = "it has a bias, and alpha or beta is not 1",
                .cost = runs_in_float,
                .fix = "multiply alpha into the weights and beta into the bias",
                .source = "test"},
    LintRuleRow{
        .rule = LintRule::weights_only,
        .name = "weights-only",
        .what = "only its weights are quantized",
        .cost =
            "weights dequantized at every run, then a float kernel: slower than the float model",
        .fix = "set session.disable_quant_qdq=1 to have them dequantized once, or quantize the "
               "activations too",
        .source = "test"},
    LintRuleRow{
        .rule = LintRule::nbits_form,
        .name = "nbits-form",
        .what = "only its weights are quantized, in a form that MatMulNBits does not take",
        .cost =
            "weights dequantized at every run; with 4 bits and transB = 1 a hundred times slower",
        .fix = "store them as [K, N] with transB = 0, one scale for the tensor, each column or "
               "each block of 16, 32, ... rows, behind a DequantizeLinear of its own",
        .source = "test"},
    LintRuleRow{
        .rule = LintRule::different_scales,
        .name = "different-scales",
        .what = "it only moves or picks values, but scale or zero point differ on both sides",
        .cost = "DequantizeLinear, the node in float, QuantizeLinear",
        .fix = "use one scale and zero point on both sides",
        .source = "test"},
    LintRuleRow{.rule = LintRule::scale_not_constant,
                .name = "scale-not-constant",
                .what = "a scale or zero point is computed, or there is one for each channel",
                .cost = runs_in_float,
                .fix = "give activations one constant scale and zero point for the whole tensor",
                .source = "test"},
    LintRuleRow{
        .rule = LintRule::scale_shape,
        .name = "scale-shape",
        .what =
            "a scale or zero point has shape [1], where Add and Mul ask for one without extents",
        .cost = runs_in_float,
        .fix = "store scales and zero points of activations with shape []",
        .source = "test"},
    LintRuleRow{.rule = LintRule::old_opset,
                .name = "old-opset",
                .what = "the operator knows no integers in the opset of the model",
                .cost = runs_in_float,
                .fix = "raise the opset to 13 or above",
                .source = "test"},
    LintRuleRow{
        .rule = LintRule::no_integer_kernel,
        .name = "no-integer-kernel",
        .what = "the engine has no integer kernel for this operator",
        .cost =
            "a float kernel, with Quantize- and DequantizeLinear around it where they stand there",
        .fix = "nothing to change in the model but the operator; without Quantize- and "
               "DequantizeLinear around it it is faster",
        .source = "test"},
    LintRuleRow{.rule = LintRule::engine_refuses,
                .name = "engine-refuses",
                .what = "the engine refuses the model because of this node",
                .cost = "the model does not load",
                .fix = "see the reason",
                .source = "test"},
};
static_assert(std::ranges::is_sorted(rows, {}, &LintRuleRow::rule));
static_assert(rows.back().rule == LintRule::engine_refuses &&
              rows.size() == static_cast<std::size_t>(LintRule::engine_refuses) + 1);

}  // namespace

std::span<const LintRuleRow> lint_rules() { return rows; }

const LintRuleRow& lint_rule(LintRule rule) { return rows[static_cast<std::size_t>(rule)]; }

}  // namespace ocs
