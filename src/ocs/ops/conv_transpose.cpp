// ConvTranspose, 1-D to 3-D, with any number of groups: W[inputs of all groups, outputs of one
// group, kernel...].
#include <algorithm>

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
  const std::int64_t taps = taps_of(node, weight);
  const std::int64_t inputs = weight[0] / groups;
  const std::int64_t outputs = weight[1];
  return {.data = values,
          .groups = groups,
          .outputs = outputs,
          .inputs = inputs,
          .taps = taps,
          .group_stride = inputs * outputs * taps,
          .output_stride = taps,
          .input_stride = outputs * taps,
          .tap_stride = 1};
}

// With groups, axis 1 holds the outputs of every group at once: a scale for each row has no axis of
// its own.
std::optional<int> output_axis(const onnx::NodeProto& node, const Operand&, const Shape&) {
  if (int_attribute(node, "group", 1) != 1) return std::nullopt;
  return 1;
}

// Every input position meets every tap once, whatever the strides: output = (input - 1) * stride +
// (taps - 1) * dilation + 1
// + output_padding - pads along an axis, solved for the input. Where pads are not stated
// (auto_pad), output = input * stride.
std::int64_t input_extent(const onnx::NodeProto& node, std::size_t axis, std::size_t axes,
                          std::int64_t output) {
  const auto at = [&](std::string_view name, std::size_t index, std::int64_t fallback) {
    const std::vector<std::int64_t> values = ints_attribute(node, name);
    return index < values.size() ? values[index] : fallback;
  };
  const std::int64_t stride = std::max<std::int64_t>(at("strides", axis, 1), 1);
  const bool has_pads = string_attribute(node, "auto_pad", "NOTSET") == "NOTSET" &&
                        attribute(node, "output_shape") == nullptr;
  const auto kernel = ints_attribute(node, "kernel_shape");
  if (!has_pads || axis >= kernel.size()) return std::max<std::int64_t>(output / stride, 1);
  const std::int64_t reach = (kernel[axis] - 1) * at("dilations", axis, 1) + 1 +
                             at("output_padding", axis, 0) - at("pads", axis, 0) -
                             at("pads", axes + axis, 0);
  return std::max<std::int64_t>((output - reach) / stride + 1, 1);
}

std::int64_t macs(const onnx::NodeProto& node, const ChannelMatrix& weight, const Shape& output) {
  if (output.size() < 3) return 0;
  const std::size_t axes = output.size() - 2;
  std::int64_t positions = output[0];
  for (std::size_t axis = 0; axis < axes; ++axis)
    positions *= input_extent(node, axis, axes, output[axis + 2]);
  return positions * weight.columns() * weight.outputs * weight.taps;
}

}  // namespace

constinit const LinearOp conv_transpose{
    .op_type = "ConvTranspose",
    .operands = operands,
    .view = view,
    .output_axis = output_axis,
    .input_axis = [](const onnx::NodeProto&, const Operand&, const Shape&) { return 0; },
    .data_axis = [](const onnx::NodeProto&, const Operand&) { return 1; },
    .result_axis = [](const onnx::NodeProto&, const Operand&) { return 1; },
    .macs = macs,
};

}  // namespace ocs
