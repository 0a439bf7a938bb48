// All that the tool must know of an operator with weights: one constant of captureless lambdas each, nothing runs before main.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"
#include "ocs/graph/graph.h"
#include "ocs/quant/channel_matrix.h"

namespace ocs {

// Which inputs of a node are data, constant weight and bias.
struct Operand {
  int data_input = 0;
  int weight_input = 1;
  std::optional<int> bias_input{};  // where the operator has one (present in the node or not)
};

struct LinearOp {
  std::string_view op_type{};
  // The operand of this node, or why it has none ("both inputs are computed", "recurrent operators stay float", ...).
  std::variant<Operand, std::string> (*operand)(const onnx::NodeProto& node, const Graph& graph) = nullptr;
  // The channel view of a weight with this shape. Throws Error(bad_input) naming the node where shape and attributes disagree.
  ChannelMatrix (*view)(const onnx::NodeProto& node, const Operand& operand, const Shape& weight, std::span<const float> values) = nullptr;
  // Axis of the weight that is the output channel (row), where one axis is; none: only one scale fits (grouped ConvTranspose, ...).
  std::optional<int> (*output_axis)(const onnx::NodeProto& node, const Operand& operand, const Shape& weight) = nullptr;
  // Axis of the weight that is the input channel within one group.
  int (*input_axis)(const onnx::NodeProto& node, const Operand& operand, const Shape& weight) = nullptr;
  // Axis of the data that carries the input channels; negative counts from the end.
  int (*data_axis)(const onnx::NodeProto& node, const Operand& operand) = nullptr;
  // Axis of the output that carries the output channels; negative counts from the end.
  int (*result_axis)(const onnx::NodeProto& node, const Operand& operand) = nullptr;
  // Multiply-accumulates for one output of this shape.
  std::int64_t (*macs)(const ChannelMatrix& weight, const Shape& output) = nullptr;
};

// Row of the table, nullptr for an operator without one.
[[nodiscard]] const LinearOp* find_linear_op(const onnx::NodeProto& node);
[[nodiscard]] std::vector<std::string> linear_op_names();

// What a step that carries no weights does to its channels (one row each in pointwise.cpp).
struct ChannelRule {
  std::string_view op_type{};
  bool keeps_values = false;       // output values are input values or 0-free selections: MaxPool, Reshape, Transpose, Slice, ...: one scale fits both sides
  bool keeps_channels = false;     // axis 1 in = axis 1 out, each channel by itself (Relu, Clip, pools, Identity, ...)
  bool homogeneous = false;        // f(a x) = a f(x) for a > 0
  bool recombines = false;         // output values are sums or averages of inputs (Add, AveragePool, GlobalAveragePool, Concat): integer kernels exist
};
[[nodiscard]] const ChannelRule* find_channel_rule(const onnx::NodeProto& node);

}  // namespace ocs
