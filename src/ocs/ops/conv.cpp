// Conv, 1-D to 3-D, with any number of groups: W[outputs, inputs of one group, kernel...].
#include "ocs/ops/table.h"
#include "ocs/ops/weights.h"

namespace ocs {
namespace {

Operands operands(const onnx::NodeProto& node, const Graph& graph) {
  if (std::string reason = why_no_weight(node, graph, 1); !reason.empty()) return reason;
  if (std::string reason = why_no_bias(node, graph, 2); !reason.empty()) return reason;
  return std::vector{Operand{.data_input = 0, .weight_input = 1, .bias_input = 2}};
}

ChannelMatrix view(const onnx::NodeProto& node, const Operand&, const Shape& weight,
                   std::span<const float> values) {
  check_weight(node, weight, values, 3, 5);
  const std::int64_t groups = groups_of(node, weight, weight[0]);
  return dense_view(values, groups, weight[0] / groups, weight[1], taps_of(node, weight));
}

}  // namespace

constinit const LinearOp conv{
    .op_type = "Conv",
    .operands = operands,
    .view = view,
    .output_axis = [](const onnx::NodeProto&, const Operand&,
                      const Shape&) { return std::optional<int>(0); },
    .input_axis = [](const onnx::NodeProto&, const Operand&, const Shape&) { return 1; },
    .data_axis = [](const onnx::NodeProto&, const Operand&) { return 1; },
    .result_axis = [](const onnx::NodeProto&, const Operand&) { return 1; },
    .macs = [](const onnx::NodeProto&, const ChannelMatrix& weight,
               const Shape& output) { return element_count(output) * weight.inputs * weight.taps; },
    .patches =
        [](const onnx::NodeProto& node, const Operand&, const ChannelMatrix& weight,
           const TensorView& data,
           const PositionChoice& choice) { return window_patches(node, weight, data, choice); },
};

}  // namespace ocs
