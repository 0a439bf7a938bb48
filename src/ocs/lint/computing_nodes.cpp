#include "ocs/lint/computing_nodes.h"

#include <algorithm>
#include <array>

#include "ocs/graph/graph.h"

namespace ocs {
namespace {

// They give the same bytes another shape, name or type.
constexpr std::array<std::string_view, 10> views{
    "Cast",     "CastLike",       "Constant", "DequantizeLinear", "Flatten",
    "Identity", "QuantizeLinear", "Reshape",  "Squeeze",          "Unsqueeze"};
static_assert(std::ranges::is_sorted(views));

constexpr std::array<std::string_view, 17> movers{
    "Clip",     "Concat",  "DepthToSpace", "Expand",   "Gather", "GatherElements",
    "GatherND", "MaxPool", "Pad",          "Resize",   "Slice",  "SpaceToDepth",
    "Split",    "Tile",    "Transpose",    "Upsample", "Where"};
static_assert(std::ranges::is_sorted(movers));

// Beside com.microsoft's operators that begin with QLinear.
constexpr std::array<std::string_view, 13> integer_operators{
    "ConvInteger",
    "MatMulInteger",
    "QLinearConv",
    "QLinearMatMul",
    "com.microsoft.DynamicQuantizeLSTM",
    "com.microsoft.DynamicQuantizeMatMul",
    "com.microsoft.GatherBlockQuantized",
    "com.microsoft.MatMulIntegerToFloat",
    "com.microsoft.MatMulNBits",
    "com.microsoft.NhwcMaxPool",
    "com.microsoft.QAttention",
    "com.microsoft.QEmbedLayerNormalization",
    "com.microsoft.QGemm"};
static_assert(std::ranges::is_sorted(integer_operators));

// They give booleans or indices.
constexpr std::array<std::string_view, 13> comparisons{
    "And",         "ArgMax",  "ArgMin", "Equal", "Greater", "GreaterOrEqual", "IsNaN", "Less",
    "LessOrEqual", "NonZero", "Not",    "Or",    "Xor"};
static_assert(std::ranges::is_sorted(comparisons));

}  // namespace

bool moves_values(std::string_view op) { return std::ranges::binary_search(movers, op); }

bool is_integer_operator(std::string_view op) {
  return std::ranges::binary_search(integer_operators, op) ||
         op.starts_with("com.microsoft.QLinear");
}

std::set<std::string, std::less<>> shape_values(const WorkingGraph& graph) {
  std::set<std::string, std::less<>> shapes;   // of shapes and constants
  std::set<std::string, std::less<>> indices;  // of integers and booleans that the caller gives
  const auto is_index_type = [](std::int32_t type) { return type == 6 || type == 7 || type == 9; };
  const auto is_shape = [&](const std::string& value) {
    return value.empty() || graph.is_constant(value) || shapes.contains(value);
  };
  const auto is_index = [&](const std::string& value) {
    return indices.contains(value) ||
           (graph.is_input(value) && is_index_type(graph.stated_type(value)));
  };
  const auto is_index_or_constant = [&](const std::string& value) {
    const onnx::TensorProto* constant = graph.constant(value);
    return is_index(value) ||
           (is_shape(value) && (constant == nullptr || is_index_type(constant->data_type())));
  };
  for (const Step& step : graph.steps()) {
    if (step.node != nullptr && has_body(*step.node)) continue;
    const bool casts_to_index =
        step.op == "Cast" &&
        is_index_type(static_cast<std::int32_t>(int_attribute(*step.node, "to", 0)));
    if (step.op == "Shape" || step.op == "Size" || std::ranges::all_of(step.inputs, is_shape)) {
      shapes.insert(step.outputs.begin(), step.outputs.end());
    } else if (casts_to_index || std::ranges::binary_search(comparisons, step.op) ||
               (step.op != "Cast" && std::ranges::any_of(step.inputs, is_index) &&
                std::ranges::all_of(step.inputs, is_index_or_constant))) {
      indices.insert(step.outputs.begin(), step.outputs.end());
    }
  }
  shapes.merge(indices);
  return shapes;
}

bool is_computing(const Step& step, const std::set<std::string, std::less<>>& shape_values) {
  if (std::ranges::binary_search(views, step.op) || step.op == "DynamicQuantizeLinear" ||
      step.op == "Dropout")
    return false;
  if (step.node != nullptr && has_body(*step.node)) return false;
  return !step.outputs.empty() &&
         !std::ranges::all_of(step.outputs, [&](const std::string& output) {
           return output.empty() || shape_values.contains(output);
         });
}

std::set<std::string, std::less<>> integer_values(const WorkingGraph& graph) {
  std::set<std::string, std::less<>> values;
  for (const Step& step : graph.steps()) {
    const auto is_integer = [&](const std::string& value) {
      const bool is_stored = graph.is_input(value) || graph.constant(value) != nullptr;
      return values.contains(value) || (is_stored && bits_of_type(graph.stated_type(value)) == 8);
    };
    const bool is_moved = (moves_values(step.op) || std::ranges::binary_search(views, step.op)) &&
                          !step.is_dequantize() && step.op != "Cast" && !step.inputs.empty() &&
                          is_integer(step.inputs.front());
    const bool is_written = step.is_quantize() || step.op == "DynamicQuantizeLinear" ||
                            step.op == "QLinearConv" || step.op == "QLinearMatMul" ||
                            step.op.starts_with("com.microsoft.QLinear");
    if ((is_moved || is_written) && !step.outputs.empty()) values.insert(step.outputs.front());
  }
  return values;
}

}  // namespace ocs
