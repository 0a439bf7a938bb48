// Gemm: y = alpha * A' B' + beta * C, with A' and B' transposed where transA and transB say so. The
// weight is B.
#include "ocs/ops/table.h"
#include "ocs/ops/weights.h"

namespace ocs {
namespace {

bool is_transposed(const onnx::NodeProto& node) { return int_attribute(node, "transB", 0) != 0; }

Operands operands(const onnx::NodeProto& node, const Graph& graph) {
  if (std::string reason = why_no_weight(node, graph, 1); !reason.empty()) return reason;
  if (std::string reason = why_no_bias(node, graph, 2); !reason.empty()) return reason;
  if (graph.initializer(node.input(0)) != nullptr) return "both of its inputs are constant";
  return std::vector{Operand{.data_input = 0, .weight_input = 1, .bias_input = 2}};
}

// B is [inputs, outputs], or [outputs, inputs] transposed.
ChannelMatrix view(const onnx::NodeProto& node, const Operand&, const Shape& weight,
                   std::span<const float> values) {
  check_weight(node, weight, values, 2, 2);
  const bool transposed = is_transposed(node);
  return {.data = values,
          .outputs = weight[transposed ? 0 : 1],
          .inputs = weight[transposed ? 1 : 0],
          .output_stride = transposed ? weight[1] : 1,
          .input_stride = transposed ? 1 : weight[1]};
}

}  // namespace

constinit const LinearOp gemm{
    .op_type = "Gemm",
    .operands = operands,
    .view = view,
    .output_axis = [](const onnx::NodeProto& node, const Operand&,
                      const Shape&) { return std::optional<int>(is_transposed(node) ? 0 : 1); },
    .input_axis = [](const onnx::NodeProto& node, const Operand&,
                     const Shape&) { return is_transposed(node) ? 1 : 0; },
    .data_axis = [](const onnx::NodeProto& node,
                    const Operand&) { return int_attribute(node, "transA", 0) != 0 ? -2 : -1; },
    .result_axis = [](const onnx::NodeProto&, const Operand&) { return -1; },
    .macs = [](const onnx::NodeProto&, const ChannelMatrix& weight,
               const Shape& output) { return element_count(output) * weight.inputs; },
    .patches =
        [](const onnx::NodeProto& node, const Operand& held, const ChannelMatrix& weight,
           const TensorView& data, const PositionChoice& choice) {
          return plain_patches(weight, gemm.data_axis(node, held), data, choice);
        },
};

}  // namespace ocs
