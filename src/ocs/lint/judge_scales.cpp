// Scales and zero points whose number or axis is not what a kernel makes of them. ONNX Runtime looks at the number of scales when it
// chooses some kernels, and at that alone; others take the node as it stands and find out as they run, or never.
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/lint/judge.h"

namespace ocs {
namespace {

constexpr std::string_view fails = "the engine opens the model and fails in its first run";

// What the weights of a layer look like, and the extent and axis of them along which its kernel has its results.
struct Outputs {
  Shape weights{};
  std::int64_t count = 0;
  std::int64_t axis = 0;

  [[nodiscard]] std::int64_t rank() const { return std::ssize(weights); }
};

// Nothing where the shape of the weights is not known. A product with a vector has one output.
std::optional<Outputs> outputs_of(const JudgeInput& input, const Step& layer,
                                  const std::string& weights, bool is_conv) {
  const auto found = input.shapes.find(weights);
  // Of the graph around a body too.
  const Shape* shape =
      found != input.shapes.end() ? &found->second : input.graph.stated_shape(weights);
  if (shape == nullptr || shape->empty() || (is_conv && shape->size() < 2)) return std::nullopt;
  Outputs outputs{.weights = *shape, .count = 1, .axis = -1};
  if (outputs.rank() == 1) return outputs;
  const bool is_transposed = layer.node != nullptr && int_attribute(*layer.node, "transB", 0) != 0;
  outputs.axis = is_conv || is_transposed ? 0 : outputs.rank() - 1;
  outputs.count = (*shape)[static_cast<std::size_t>(outputs.axis)];
  return outputs.count < 0 ? std::nullopt : std::optional(outputs);
}

bool is_one(const Shape& shape) { return shape.size() <= 1 && element_count(shape) == 1; }

bool is_vector(const Shape& shape, std::int64_t count) {
  return shape.size() == 1 && shape.front() == count;
}

// [1, ..., 1, N], with which the kernels of products multiply their rows.
bool is_row(const Shape& shape, std::int64_t count) {
  return !shape.empty() && shape.back() == count && element_count(shape) == count;
}

bool has_channels(const Step* pair) {
  if (pair == nullptr || !pair->quantizer.is_constant) return false;
  return !is_one(pair->quantizer.scale_shape) ||
         (pair->quantizer.has_zero_point && !is_one(pair->quantizer.zero_point_shape));
}

std::string shapes_of(const Quantizer& grid) {
  return fmt::format("scales of shape {}{}", to_string(grid.scale_shape),
                     grid.has_zero_point ? fmt::format(" and zero points of shape {}",
                                                       to_string(grid.zero_point_shape))
                                         : "");
}

std::string scales_of(const Quantizer& grid, const Outputs& outputs) {
  return fmt::format("{}, for {} outputs", shapes_of(grid), outputs.count);
}

// Whether several scales or zero points stand for another axis than the kernel takes them for.
bool is_off_axis(const Quantizer& grid, const Outputs& outputs) {
  const std::int64_t axis = grid.axis < 0 ? grid.axis + outputs.rank() : grid.axis;
  const bool has_many = !is_one(grid.scale_shape) || !is_one(grid.zero_point_shape);
  return has_many && grid.block_size == 0 && axis != outputs.axis;
}

std::string wrong_axis(const Quantizer& grid, const Outputs& outputs) {
  if (!is_off_axis(grid, outputs) || grid.is_uniform) return "";
  const std::int64_t axis = grid.axis < 0 ? grid.axis + outputs.rank() : grid.axis;
  const bool is_allowed = axis >= 0 && axis < outputs.rank() &&
                          outputs.weights[static_cast<std::size_t>(axis)] == outputs.count;
  return fmt::format(
      "its weights are quantized along axis {}{}; the kernel takes the scales for "
      "those of its outputs, axis {}{}",
      grid.axis, is_allowed ? "" : ", which ONNX does not allow here", outputs.axis,
      is_allowed ? ", so results are wrong" : "");
}

// A layer with all it needs around it, whose kernel is chosen without a look at the scales.
Verdict judge_unseen(const Quantizer& grid, const Outputs& outputs, bool is_product) {
  // Of several matrices, with all their extents.
  const auto is_batch_of_rows = [&](const Shape& shape) {
    return is_product && outputs.rank() > 2 && std::ssize(shape) == outputs.rank() &&
           shape.back() == outputs.count && shape[shape.size() - 2] == 1;
  };
  const auto fits = [&](const Shape& shape) {
    return is_one(shape) || is_vector(shape, outputs.count) || is_batch_of_rows(shape) ||
           (is_product && is_row(shape, outputs.count));
  };
  const auto fits_zero_points = [&](const Shape& shape) {
    const bool is_batched = is_product && outputs.rank() > 2;
    return is_batched ? is_one(shape) || is_batch_of_rows(shape) : fits(shape);
  };
  if (!fits(grid.scale_shape) || (grid.has_zero_point && !fits_zero_points(grid.zero_point_shape)))
    return {LintRule::engine_refuses,
            fmt::format("its weights have {}; {}{}", scales_of(grid, outputs), fails,
                        is_product && !grid.has_zero_point
                            ? ", or gives wrong results where its data have one row or as many as "
                              "there are rows of scales"
                            : "")};
  return {.warning = wrong_axis(grid, outputs)};
}

// A product whose kernel is chosen by the number of scales. Gemm asks for more than MatMul.
Verdict judge_seen(const Quantizer& grid, const Outputs& outputs, bool is_gemm) {
  const auto fits = [&](const Shape& shape) {
    return is_one(grid.scale_shape) ? is_one(shape)
                                    : outputs.rank() == 2 && is_vector(shape, outputs.count);
  };
  const bool is_alike = is_gemm ? grid.scale_shape == grid.zero_point_shape
                                : !grid.has_zero_point || fits(grid.zero_point_shape);
  if (!is_alike || !fits(grid.scale_shape) || grid.block_size != 0)
    return {LintRule::weight_scales, fmt::format("its weights have {}{}", scales_of(grid, outputs),
                                                 grid.block_size != 0 ? ", in blocks" : "")};
  if (!is_gemm && is_off_axis(grid, outputs))
    return {
        LintRule::weight_scales,
        fmt::format("its weights are quantized along axis {}, not that of its outputs", grid.axis)};
  return {.warning = wrong_axis(grid, outputs)};
}

struct QOperator {
  std::string_view op{};
  std::size_t weight = 0;
  std::size_t scale = 0;
  std::size_t zero_point = 0;
  bool is_conv = false;
  bool takes_row = false;
  bool takes_equal_shapes = false;
};

constexpr std::array q_operators{
    QOperator{.op = "QLinearConv", .weight = 3, .scale = 4, .zero_point = 5, .is_conv = true},
    QOperator{.op = "QLinearMatMul", .weight = 3, .scale = 4, .zero_point = 5, .takes_row = true},
    QOperator{.op = "com.microsoft.DynamicQuantizeMatMul",
              .weight = 1,
              .scale = 2,
              .zero_point = 3,
              .takes_row = true},
    QOperator{.op = "com.microsoft.MatMulIntegerToFloat",
              .weight = 1,
              .scale = 3,
              .zero_point = 5,
              .takes_row = true},
    QOperator{.op = "com.microsoft.QGemm",
              .weight = 3,
              .scale = 4,
              .zero_point = 5,
              .takes_equal_shapes = true},
    QOperator{.op = "com.microsoft.QLinearConv",
              .weight = 3,
              .scale = 4,
              .zero_point = 5,
              .is_conv = true},
};

}  // namespace

Verdict judge_weight_scales(const JudgeInput& input, const Step& layer,
                            const Surroundings& around) {
  const Step* weight = around.in_front_of(1);
  if (weight == nullptr || !weight->quantizer.is_constant) return {};
  const bool is_conv = layer.op == "Conv";
  if (layer.op == "Gemm" && !weight->quantizer.has_zero_point)
    return {LintRule::zero_point_missing, "the DequantizeLinear of its weights has no zero point"};
  const std::optional<Outputs> outputs = outputs_of(input, layer, weight->inputs.front(), is_conv);
  if (!outputs) return {};
  if (is_conv) return judge_unseen(weight->quantizer, *outputs, false);
  if (layer.op == "MatMul" && around.behind == nullptr)
    return judge_unseen(weight->quantizer, *outputs, true);
  return judge_seen(weight->quantizer, *outputs, layer.op == "Gemm");
}

Verdict judge_stored_scales(const JudgeInput& input, const Step& step) {
  const auto* const form = std::ranges::find(q_operators, step.op, &QOperator::op);
  if (form == q_operators.end() || !step.has_input(form->scale)) return {};
  const std::optional<Outputs> outputs =
      outputs_of(input, step, step.inputs[form->weight], form->is_conv);
  if (!outputs || (!form->is_conv && outputs->rank() != 2)) return {};
  std::vector<Shape> shapes;
  for (const std::size_t place : {form->scale, form->zero_point}) {
    const onnx::TensorProto* values =
        step.has_input(place) ? input.graph.constant(step.inputs[place]) : nullptr;
    if (values == nullptr) continue;
    shapes.push_back(shape_of(*values));
    const Shape& shape = shapes.back();
    if (is_one(shape) || is_vector(shape, outputs->count) ||
        (form->takes_row && is_row(shape, outputs->count)))
      continue;
    return {LintRule::engine_refuses,
            fmt::format("'{}' has the shape {}, the weights have {} outputs; {}",
                        step.inputs[place], to_string(shape), outputs->count, fails)};
  }
  if (form->takes_equal_shapes && shapes.size() == 2 && shapes.front() != shapes.back())
    return {LintRule::engine_refuses,
            fmt::format("scales of its weights have the shape {}, zero points {}; {}",
                        to_string(shapes.front()), to_string(shapes.back()), fails)};
  return {};
}

Verdict judge_data_scales(const Step& step, const Surroundings& around) {
  std::vector<const Step*> pairs(around.in_front.begin(), around.in_front.end());
  const bool has_weights = step.op == "Conv" || step.op == "MatMul" || step.op == "Gemm";
  if (has_weights) pairs.resize(1);
  pairs.push_back(around.behind);
  const auto found = std::ranges::find_if(pairs, has_channels);
  if (found == pairs.end()) {
    if (step.op == "Gemm" && !around.in_front.front()->quantizer.has_zero_point)
      return {LintRule::zero_point_missing, "the DequantizeLinear of its data has no zero point"};
    return {};
  }
  const std::string which =
      fmt::format("{} has scales or zero points for each channel", called(**found));
  constexpr std::array<std::string_view, 2> run{"Conv", "GlobalAveragePool"};
  constexpr std::array<std::string_view, 4> opened{"AveragePool", "LeakyRelu", "Sigmoid", "Where"};
  if (std::ranges::find(run, step.op) != run.end() ||
      (step.op == "MatMul" && around.behind == nullptr))
    return {LintRule::engine_refuses, fmt::format("{}; {}", which, fails)};
  if (std::ranges::find(opened, step.op) != opened.end()) return {LintRule::engine_refuses, which};
  if (step.op == "Softmax" && *found == around.behind && (*found)->quantizer.is_uniform) return {};
  if (step.op == "Softmax" && *found == around.behind)
    return {.warning = which + "; the kernel takes the first for all, so results are wrong"};
  return {LintRule::scale_not_constant, which};
}

Verdict judge_scale_type(const Surroundings& around) {
  constexpr std::int32_t type_float = 1;
  std::vector<const Step*> pairs(around.in_front.begin(), around.in_front.end());
  pairs.push_back(around.behind);
  for (const Step* pair : pairs) {
    if (pair == nullptr || pair->quantizer.scale_type == 0 ||
        pair->quantizer.scale_type == type_float)
      continue;
    return {LintRule::scale_type, fmt::format("the scale of {} is not float32", called(*pair))};
  }
  return {};
}

namespace {

// An extent that is not known differs from none.
bool differs(std::int64_t extent, std::int64_t wanted) { return wanted >= 0 && extent != wanted; }

std::string why_blocks_misfit(const Quantizer& grid, const Shape& data, std::int64_t axis) {
  Shape wanted = data;
  std::int64_t& along = wanted[static_cast<std::size_t>(axis)];
  if (along >= 0) along = along / grid.block_size + (along % grid.block_size == 0 ? 0 : 1);
  const bool fits = std::ranges::equal(
      grid.scale_shape, wanted, [](std::int64_t a, std::int64_t b) { return !differs(a, b); });
  return fits ? ""
              : fmt::format("blocks of {} along axis {} take {}", grid.block_size, axis,
                            to_string(wanted));
}

std::string why_misfit(const Quantizer& grid, const Shape& data) {
  if (grid.block_size < 0) return "there are no blocks of a negative size";
  const bool is_alone = grid.block_size == 0 && is_one(grid.scale_shape);
  if (is_alone && (!grid.has_zero_point || is_one(grid.zero_point_shape))) return "";
  if (is_alone) return "one scale takes one zero point";
  if (grid.has_zero_point && grid.zero_point_shape != grid.scale_shape)
    return "zero points have the shape of the scales";
  const std::int64_t rank = std::ssize(data);
  const std::int64_t axis = grid.axis < 0 ? grid.axis + rank : grid.axis;
  if (axis < 0 || axis >= rank) return fmt::format("there is no axis {}", grid.axis);
  if (grid.block_size != 0) return why_blocks_misfit(grid, data, axis);
  const bool fits = grid.scale_shape.size() == 1 &&
                    !differs(grid.scale_shape.front(), data[static_cast<std::size_t>(axis)]);
  return fits ? "" : fmt::format("one for each index of axis {} is asked", axis);
}

}  // namespace

std::string misfit(const WorkingGraph& graph, const Step& pair, const KnownShapes& shapes) {
  const Quantizer& grid = pair.quantizer;
  const auto found = shapes.find(pair.inputs.front());
  // Of the graph around a body too.
  const onnx::TensorProto* constant = graph.constant(pair.inputs.front());
  if (!grid.is_constant || (found == shapes.end() && constant == nullptr)) return "";
  const Shape data = constant != nullptr ? shape_of(*constant) : found->second;
  const std::string why = why_misfit(grid, data);
  if (why.empty()) return "";
  return fmt::format("{} has {} for data of shape {}: {}", called(pair), shapes_of(grid),
                     to_string(data), why);
}

}  // namespace ocs
