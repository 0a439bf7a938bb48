// MatMul with one constant side. Right: y[.., m, out] = sum over in of x[.., m, in] * W[.., in,
// out]. Left: y[.., out, n] = sum over in of W[.., out, in] * x[.., in, n]. Axes of W in front of
// its last two are a batch; the view shows them as taps.
#include "ocs/ops/table.h"
#include "ocs/ops/weights.h"

namespace ocs {
namespace {

bool is_left(const Operand& operand) { return operand.weight_input == 0; }

int rank(const Shape& weight) { return static_cast<int>(weight.size()); }

Operands operands(const onnx::NodeProto& node, const Graph& graph) {
  if (node.input_size() != 2) return "it does not have two inputs";
  const bool left = graph.initializer(node.input(0)) != nullptr;
  const bool right = graph.initializer(node.input(1)) != nullptr;
  if (left && right) return "both of its inputs are constant";
  if (!left && !right) return "both of its inputs are computed";
  const int weight = left ? 0 : 1;
  if (std::string reason = why_no_weight(node, graph, weight); !reason.empty()) return reason;
  if (graph.initializer(node.input(weight))->dims_size() < 2)
    return "its constant side is a vector: it has no output channels";
  return std::vector{Operand{.data_input = 1 - weight, .weight_input = weight}};
}

ChannelMatrix view(const onnx::NodeProto& node, const Operand& operand, const Shape& weight,
                   std::span<const float> values) {
  check_weight(node, weight, values, 2, 8);
  const std::int64_t rows = weight[weight.size() - 2];
  const std::int64_t columns = weight[weight.size() - 1];
  const bool left = is_left(operand);
  return {.data = values,
          .outputs = left ? rows : columns,
          .inputs = left ? columns : rows,
          .taps = element_count(std::span(weight).first(weight.size() - 2)),
          .output_stride = left ? columns : 1,
          .input_stride = left ? 1 : columns,
          .tap_stride = rows * columns};
}

}  // namespace

constinit const LinearOp matmul{
    .op_type = "MatMul",
    .operands = operands,
    .view = view,
    .output_axis =
        [](const onnx::NodeProto&, const Operand& held, const Shape& weight) {
          return std::optional<int>(rank(weight) - (is_left(held) ? 2 : 1));
        },
    .input_axis = [](const onnx::NodeProto&, const Operand& held,
                     const Shape& weight) { return rank(weight) - (is_left(held) ? 1 : 2); },
    .data_axis = [](const onnx::NodeProto&,
                    const Operand& held) { return is_left(held) ? -2 : -1; },
    .result_axis = [](const onnx::NodeProto&,
                      const Operand& held) { return is_left(held) ? -2 : -1; },
    .macs = [](const onnx::NodeProto&, const ChannelMatrix& weight,
               const Shape& output) { return element_count(output) * weight.inputs; },
    .patches =
        [](const onnx::NodeProto& node, const Operand& held, const ChannelMatrix& weight,
           const TensorView& data, const PositionChoice& choice) {
          return plain_patches(weight, matmul.data_axis(node, held), data, choice);
        },
};

}  // namespace ocs
