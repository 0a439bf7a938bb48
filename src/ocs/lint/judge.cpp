#include "ocs/lint/judge.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "ocs/lint/computing_nodes.h"
#include "ocs/lint/engine_rewrites.h"

namespace ocs {
namespace {

// What the engine looks for around an operator, beside those of judge_layers.cpp.
enum class Form {
  unary,        // DQ -> op -> Q becomes a kernel of its own
  all_inputs,   // the same with a DequantizeLinear on every input
  moved,        // DQ -> op -> Q of equal scales: the operator itself runs on integers
  moved_8_bit,  // the same, not for 16 bits
  split,        // one DequantizeLinear, a QuantizeLinear on every result
  where,        // the condition stays
};

struct KnownForm {
  std::string_view op{};
  Form form{};
};

constexpr std::array known_forms{
    KnownForm{"Add", Form::all_inputs},
    KnownForm{"AveragePool", Form::unary},
    KnownForm{"Concat", Form::all_inputs},
    KnownForm{"DepthToSpace", Form::moved},
    KnownForm{"Expand", Form::moved},
    KnownForm{"Gather", Form::moved},
    KnownForm{"GatherElements", Form::moved},
    KnownForm{"GlobalAveragePool", Form::unary},
    KnownForm{"LeakyRelu", Form::unary},
    KnownForm{"MaxPool", Form::moved_8_bit},
    KnownForm{"Mul", Form::all_inputs},
    KnownForm{"ReduceMax", Form::moved_8_bit},
    KnownForm{"ReduceMin", Form::moved_8_bit},
    KnownForm{"Resize", Form::moved_8_bit},
    KnownForm{"Sigmoid", Form::unary},
    KnownForm{"Slice", Form::moved},
    KnownForm{"Softmax", Form::unary},
    KnownForm{"Split", Form::split},
    KnownForm{"Tile", Form::moved},
    KnownForm{"Transpose", Form::moved},
    KnownForm{"Where", Form::where},
};
static_assert(std::ranges::is_sorted(known_forms, {}, &KnownForm::op));

std::optional<Form> form_of(std::string_view op) {
  const auto* const found = std::ranges::lower_bound(known_forms, op, {}, &KnownForm::op);
  return found != known_forms.end() && found->op == op ? std::optional(found->form) : std::nullopt;
}

// What the kernels of com.microsoft ask of inputs and result alike.
Verdict judge_types(const Surroundings& around) {
  const Step* first = nullptr;
  for (const Step* dequantize : around.in_front) {
    if (dequantize == nullptr) continue;
    if (first == nullptr) first = dequantize;
    if (dequantize->quantizer.type != first->quantizer.type)
      return {LintRule::mixed_types,
              fmt::format("its inputs are {} and {}", type_name(first->quantizer.type),
                          type_name(dequantize->quantizer.type))};
  }
  const std::int32_t result = around.behind->quantizer.type;
  if (first->quantizer.type != result)
    return {LintRule::mixed_types,
            fmt::format("its input is {}, its result {}", type_name(first->quantizer.type),
                        type_name(result))};
  return judge_width(*first, "its data");
}

Verdict judge_moved(const JudgeInput& input, const Step& step, const Surroundings& around,
                    bool takes_16_bits) {
  const Step* front = around.in_front.front();
  if (step.op == "MaxPool" && input.opset < 12)
    return {LintRule::old_opset,
            fmt::format("MaxPool knows integers from opset 12 on, the model has opset {}",
                        input.opset)};
  if (around.dequantized != 1 || front == nullptr)
    return {LintRule::float_input, "its data come from no DequantizeLinear"};
  const Quantizer& in = front->quantizer;
  const Quantizer& out = around.behind->quantizer;
  if (!in.has_one_scale || !out.has_one_scale || !in.has_zero_point || !out.has_zero_point)
    return {LintRule::scale_not_constant,
            "a scale or zero point beside it is computed, missing, or one for each channel"};
  if (!is_same_quantizer(in, out))
    return {LintRule::different_scales,
            fmt::format("scale {:g} and zero point {} of {} in front, {:g} and {} of {} behind",
                        in.scale, in.zero_point, type_name(in.type), out.scale, out.zero_point,
                        type_name(out.type))};
  if (bits_of_type(in.type) != 8 && !(takes_16_bits && bits_of_type(in.type) == 16))
    return judge_width(*front, fmt::format("the data of {}", step.op));
  return {};
}

Verdict judge_split(const JudgeInput& input, const Step& step, const Surroundings& around) {
  const Step* front = around.in_front.front();
  for (const std::string& output : step.outputs) {
    if (output.empty()) continue;
    const std::span<const Edge> readers = input.graph.readers(output);
    const bool is_quantized = readers.size() == 1 && !input.graph.is_graph_output(output) &&
                              input.graph.step(readers.front().step).is_quantize();
    if (!is_quantized)
      return {LintRule::float_result,
              fmt::format("no QuantizeLinear alone reads its result '{}'", output)};
    if (front != nullptr &&
        !is_same_quantizer(front->quantizer, input.graph.step(readers.front().step).quantizer))
      return {
          LintRule::different_scales,
          fmt::format("scale or zero point of its result '{}' differ from its input's", output)};
  }
  return front == nullptr ? Verdict{LintRule::float_input, "its data come from no DequantizeLinear"}
                          : Verdict{};
}

// Scales and zero points of shape [1], which some kernels do not take for a scalar.
Verdict judge_scale_shapes(const Step& step, const Surroundings& around) {
  std::vector<const Step*> pairs = around.in_front;
  pairs.push_back(around.behind);
  const auto has_extents = [](const Step* pair) {
    return pair != nullptr &&
           (!pair->quantizer.scale_shape.empty() || !pair->quantizer.zero_point_shape.empty());
  };
  const auto found = std::ranges::find_if(pairs, has_extents);
  if (found == pairs.end()) return {};
  const std::string which =
      fmt::format("scale or zero point of {} have shape [1], not []", called(**found));
  if (step.op == "AveragePool") return {LintRule::engine_refuses, which + "; store them as []"};
  if (step.op == "Add" || step.op == "Mul") return {LintRule::scale_shape, which};
  return {};
}

Verdict judge_form(const JudgeInput& input, const Step& step, Form form) {
  const Surroundings around = surroundings_of(input.graph, step);
  if (Verdict refusal = judge_refusal(input, around); refusal.rule != LintRule::integer_kernel)
    return refusal;
  if (around.dequantized == 0 && !around.has_any_behind)
    return {LintRule::not_quantized, "neither its inputs nor its result are quantized"};
  if (form == Form::split) return judge_split(input, step, around);
  const std::size_t asked = form == Form::all_inputs ? around.inputs : form == Form::where ? 2 : 1;
  if (around.dequantized != asked) return float_input(input, step, around);
  if (around.behind == nullptr) return around.why_none_behind;
  if (Verdict type = judge_scale_type(around); type.rule != LintRule::integer_kernel) return type;
  if (form == Form::moved || form == Form::moved_8_bit)
    return judge_moved(input, step, around, form == Form::moved);
  if (Verdict types = judge_types(around); types.rule != LintRule::integer_kernel) return types;
  if (Verdict scales = judge_data_scales(step, around);
      scales.rule != LintRule::integer_kernel || !scales.warning.empty())
    return scales;
  return judge_scale_shapes(step, around);
}

Verdict judge_clamp(const JudgeInput& input, const Step& step) {
  const Surroundings around = surroundings_of(input.graph, step);
  if (around.dequantized == 0 && !around.has_any_behind)
    return {LintRule::not_quantized, "neither its input nor its result is quantized"};
  if (around.behind == nullptr) return around.why_none_behind;
  const Step* ahead = input.graph.producer(step.inputs.front());
  if (ahead != nullptr && is_redundant(input.graph, step, *around.behind) &&
      surroundings_of(input.graph, *ahead).behind == around.behind &&
      judge(input, *ahead).rule == LintRule::integer_kernel)
    return {};  // part of the kernel ahead
  if (step.op == "Relu")
    return {
        LintRule::relu_zero_point,
        fmt::format("the zero point of its QuantizeLinear is {}, not the lowest {}: the clamp of "
                    "the integers does not do its work",
                    around.behind->quantizer.zero_point, type_name(around.behind->quantizer.type))};
  return {
      LintRule::clip_inside_grid,
      "its bounds lie inside the grid of its QuantizeLinear: the clamp of the integers does not do "
      "its work"};
}

}  // namespace

Verdict judge_width(const Step& dequantize, std::string_view what) {
  const int bits = bits_of_type(dequantize.quantizer.type);
  if (bits == 16) return {LintRule::sixteen_bits, fmt::format("{} have 16 bits", what)};
  if (bits == 4 || bits == 2)
    return {LintRule::narrow_weights, fmt::format("{} are stored with {} bits", what, bits)};
  return {};
}

Verdict float_input(const JudgeInput& input, const Step& step, const Surroundings& around) {
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    if (step.inputs[i].empty() || around.in_front[i] != nullptr) continue;
    const Step* source = input.graph.producer(step.inputs[i]);
    const std::string from = source != nullptr ? fmt::format("from {}", called(*source))
                             : input.graph.is_constant(step.inputs[i]) ? "a constant"
                                                                       : "from outside";
    return {LintRule::float_input,
            fmt::format("its input '{}' is float, {}", step.inputs[i], from)};
  }
  return {LintRule::float_input, "not every input comes from a DequantizeLinear"};
}

Verdict judge_refusal(const JudgeInput& input, const Surroundings& around) {
  std::vector<const Step*> pairs = around.in_front;
  pairs.push_back(around.behind);
  for (const Step* pair : pairs) {
    // Those of com.microsoft take every type in any opset.
    if (pair == nullptr || pair->node == nullptr || pair->node->domain() == "com.microsoft")
      continue;
    const int bits = bits_of_type(pair->quantizer.type);
    const int since = bits == 2 ? 25 : bits == 4 || bits == 16 ? 21 : 10;
    if (input.opset < since)
      return {LintRule::engine_refuses,
              fmt::format("{} has integers of {} bits, which takes opset {}; the model has {}",
                          called(*pair), bits, since, input.opset)};
  }
  return {};
}

Verdict judge(const JudgeInput& input, const Step& step) {
  if (step.op == "com.microsoft.MatMulNBits") return judge_stored_nbits(input, step);
  if (is_integer_operator(step.op)) return judge_stored_scales(input, step);
  if (moves_values(step.op) && !step.inputs.empty() &&
      (input.integers.contains(step.inputs.front()) ||
       input.integers.contains(step.outputs.front())))
    return {};
  if (step.op == "Conv" || step.op == "MatMul" || step.op == "Gemm") {
    const Surroundings around = surroundings_of(input.graph, step);
    if (Verdict refusal = judge_refusal(input, around); refusal.rule != LintRule::integer_kernel)
      return refusal;
    if (step.op == "Conv") return judge_conv(input, step, around);
    return step.op == "Gemm" ? judge_gemm(input, step, around) : judge_matmul(input, step, around);
  }
  if (step.op == "Relu" || step.op == "Clip") return judge_clamp(input, step);
  if (step.op == "Add" && adds_bias_of_nbits(input, step)) return {};
  if (const std::optional<Form> form = form_of(step.op)) return judge_form(input, step, *form);
  if (Verdict refusal = judge_refusal(input, surroundings_of(input.graph, step));
      refusal.rule != LintRule::integer_kernel)
    return refusal;
  return {LintRule::no_integer_kernel, fmt::format("there is no integer kernel for {}", step.op)};
}

}  // namespace ocs
