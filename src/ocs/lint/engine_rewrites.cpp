#include "ocs/lint/engine_rewrites.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/lint/rewrite_steps.h"

namespace ocs {
namespace {

constexpr std::int32_t type_uint8 = 2;
constexpr std::int32_t type_int8 = 3;
constexpr int most_rounds = 5;  // of the engine too

// Clamps that are dropped wherever they stand: the integers clamp at the same values or earlier.
bool is_dropped(const WorkingGraph& graph, const Step& clamp, const Step& quantize) {
  const Quantizer& grid = quantize.quantizer;
  const IntegerRange range = range_of_type(grid.type);
  if (!grid.is_constant || !grid.has_one_scale || !grid.has_zero_point || range.highest == 0)
    return false;
  if (clamp.op == "Relu") return grid.zero_point == range.lowest;
  ClipBounds bounds;
  // A Clip with bounds as inputs must have a node ahead.
  if (!grid.scale_shape.empty() || !read_bounds(graph, clamp, bounds) ||
      (clamp.inputs.size() > 1 && graph.producer(clamp.inputs.front()) == nullptr))
    return false;
  constexpr double rounding = std::numeric_limits<float>::epsilon();
  const auto real = [&](std::int64_t level) {
    return static_cast<double>(level - grid.zero_point) * grid.scale;
  };
  return bounds.lowest - real(range.lowest) <= rounding &&
         real(range.highest) - bounds.highest <= rounding;
}

bool drop_redundant_clamps(WorkingGraph& graph, AbsorbedNodes& absorbed) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step step = graph.step(i);
    if (step.gone || (step.op != "Relu" && step.op != "Clip") ||
        !is_only_inner(graph, step.outputs.front()))
      continue;
    const Edge behind = graph.readers(step.outputs.front()).front();
    const Step& quantize = graph.step(behind.step);
    if (!quantize.is_quantize() || !is_dropped(graph, step, quantize)) continue;
    absorbed[step.node] = {.into_quantize = true, .step = behind.step};
    graph.connect(behind, step.inputs.front());
    graph.remove(i);
    changed = true;
  }
  return changed;
}

// A pair of int8 whose integers nobody else reads becomes one of uint8.
void make_unsigned(WorkingGraph& graph) {
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step& quantize = graph.step(i);
    // That of a constant has been computed before, and its integers stay as they are.
    if (quantize.gone || !quantize.is_quantize() ||
        !is_only_inner(graph, quantize.outputs.front()) ||
        graph.is_constant(quantize.inputs.front()))
      continue;
    const std::size_t other = graph.readers(quantize.outputs.front()).front().step;
    const Step& dequantize = graph.step(other);
    const auto is_signed = [](const Step& step) {
      return step.quantizer.type == type_int8 && step.quantizer.has_zero_point &&
             step.quantizer.has_one_scale;
    };
    if (!dequantize.is_dequantize() || !is_signed(quantize) || !is_signed(dequantize) ||
        quantize.quantizer.zero_point != dequantize.quantizer.zero_point)
      continue;
    for (const std::size_t step : {i, other}) {
      graph.quantizer(step).type = type_uint8;
      graph.quantizer(step).zero_point += 128;
    }
  }
}

std::optional<double> scalar_of(const WorkingGraph& graph, const std::string& value) {
  const onnx::TensorProto* proto = graph.constant(value);
  if (proto == nullptr) return std::nullopt;
  const std::vector<float> values = to_floats(view(to_tensor(*proto)));
  return values.size() == 1 ? std::optional<double>(static_cast<double>(values.front()))
                            : std::nullopt;
}

}  // namespace

bool is_same_quantizer(const Quantizer& a, const Quantizer& b) {
  return a.has_one_scale && b.has_one_scale && a.has_zero_point && b.has_zero_point &&
         a.type == b.type && a.zero_point == b.zero_point && a.scale == b.scale;
}

bool read_bounds(const WorkingGraph& graph, const Step& clip, ClipBounds& bounds) {
  constexpr double everything = std::numeric_limits<float>::max();
  bounds = {-everything, everything};
  if (clip.node != nullptr && clip.inputs.size() == 1) {  // attributes before opset 11
    bounds.lowest = static_cast<double>(
        float_attribute(*clip.node, "min", std::numeric_limits<float>::lowest()));
    bounds.highest =
        static_cast<double>(float_attribute(*clip.node, "max", std::numeric_limits<float>::max()));
    if (clip.has_relu_ahead) bounds.lowest = std::max(bounds.lowest, 0.0);
    return true;
  }
  const auto read = [&](std::size_t input, double& bound) {
    if (input >= clip.inputs.size() || clip.inputs[input].empty()) return true;
    const std::optional<double> value = scalar_of(graph, clip.inputs[input]);
    if (value) bound = *value;
    return value.has_value();
  };
  const bool are_constant = read(1, bounds.lowest) && read(2, bounds.highest);
  if (clip.has_relu_ahead) bounds.lowest = std::max(bounds.lowest, 0.0);
  return are_constant;
}

bool is_redundant(const WorkingGraph& graph, const Step& clamp, const Step& quantize) {
  const Quantizer& grid = quantize.quantizer;
  const IntegerRange range = range_of_type(grid.type);
  if (!grid.is_constant || !grid.scale_shape.empty() || !grid.zero_point_shape.empty() ||
      range.highest == 0)
    return false;
  if (clamp.op == "Relu") return grid.zero_point == range.lowest;
  ClipBounds bounds;
  if (!read_bounds(graph, clamp, bounds)) return false;
  const auto zero = static_cast<double>(grid.zero_point);
  return std::nearbyint(bounds.lowest / grid.scale) + zero <= static_cast<double>(range.lowest) &&
         std::nearbyint(bounds.highest / grid.scale) + zero >= static_cast<double>(range.highest);
}

AbsorbedNodes make_engine_rewrites(WorkingGraph& graph, bool signed_is_integer) {
  AbsorbedNodes absorbed;
  const KnownShapes shapes = known_shapes(graph);
  fold_shapes(graph, shapes);
  give_each_reader_its_own(graph);
  for (int round = 0; round < most_rounds; ++round) {
    bool changed = pass_identities_by(graph);
    changed = fuse_relu_and_clip(graph, absorbed) || changed;
    changed = remove_double_pairs(graph) || changed;
    changed = merge_equal_quantize(graph) || changed;
    changed = fuse_bias_of_matmul(graph, shapes, absorbed) || changed;
    changed = carry_pairs_up(graph) || changed;
    changed = carry_pairs_down(graph) || changed;
    changed = quantize_float_weights(graph) || changed;
    give_each_reader_its_own(graph);
    if (!changed) break;
  }
  // One behind the other, too.
  for (int round = 0; round < most_rounds && drop_redundant_clamps(graph, absorbed);) ++round;
  drop_requantizing(graph);
  if (!signed_is_integer) make_unsigned(graph);
  take_rescaling_in(graph, shapes, absorbed);
  return absorbed;
}

}  // namespace ocs
