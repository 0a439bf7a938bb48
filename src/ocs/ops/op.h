// All that the tool must know of an operator with weights: one constant of captureless lambdas
// each, nothing runs before main.
//
// A new operator: ops/<name>.cpp with its LinearOp, one row in table.cpp, one model in
// tests/contract/op_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"
#include "ocs/graph/graph.h"
#include "ocs/ops/patches.h"
#include "ocs/quant/channel_matrix.h"

namespace ocs {

// Which inputs of a node are data, constant weight and bias. A node with several weights has an
// operand for each: a layer is a node and one of its operands.
struct Operand {
  std::optional<int> data_input = 0;  // none: the node makes the data itself (a hidden state)
  int weight_input = 1;
  std::optional<int> bias_input{};  // where the operator has one (present in the node or not)
  std::string_view part{};  // tells operands of one node apart: "W", "R"; "" for a single one
  bool operator==(const Operand&) const = default;

  // Whether it meets the hidden state: its columns are made by rows of its own node.
  [[nodiscard]] bool is_hidden() const { return !data_input.has_value(); }
};

// At least one operand; or why there is none ("both inputs are computed", ...).
using Operands = std::variant<std::vector<Operand>, std::string>;

// Tells layers apart.
struct LayerId {
  std::string node{};
  std::string part{};  // of the operand
  auto operator<=>(const LayerId&) const = default;
};
// What a layer is called where people read it: the node's name, with the part behind a dot.
[[nodiscard]] std::string layer_name(const LayerId& layer);

// The value that the operand's weight meets; "" where the node makes it itself.
[[nodiscard]] std::string data_of(const onnx::NodeProto& node, const Operand& operand);
// All values that the node reads and that are no initializers, each once, in order.
[[nodiscard]] std::vector<std::string> computed_inputs(const Graph& graph,
                                                       const onnx::NodeProto& node);
// The first output that the node has.
[[nodiscard]] std::string result_of(const onnx::NodeProto& node);

// The product of the data with `view` is what the operator computes, but for the bias and for
// Gemm's alpha and beta (y = alpha * product + beta * bias; passes/normalize_gemm makes both 1).
struct LinearOp {
  std::string_view op_type{};
  bool is_recurrent = false;  // reads its own result of the step before
  // The operands of this node, in the order of their inputs. The weight of an operand is a float
  // initializer. Throws Error(bad_input) naming a recurrent node whose sizes disagree. Of a row whose nodes never have one, nothing else may be called.
  Operands (*operands)(const onnx::NodeProto& node, const Graph& graph) = nullptr;
  // The channel view of a weight with this shape; without values (an empty span) a view to ask for
  // sizes and indices only. Throws Error(bad_input) naming the node where shape and attributes
  // disagree.
  ChannelMatrix (*view)(const onnx::NodeProto& node, const Operand& operand, const Shape& weight,
                        std::span<const float> values) = nullptr;
  // Axis of the weight that is the output channel (row), where one axis is; none: only one scale
  // fits (grouped ConvTranspose, ...). The rows of a recurrent node run over this axis and the one
  // before it, the directions.
  std::optional<int> (*output_axis)(const onnx::NodeProto& node, const Operand& operand,
                                    const Shape& weight) = nullptr;
  // Axis of the weight that is the input channel within one group (grouped ConvTranspose: of all
  // groups, one after the other).
  int (*input_axis)(const onnx::NodeProto& node, const Operand& operand,
                    const Shape& weight) = nullptr;
  // Axis of the data that carries the input channels; negative counts from the end.
  int (*data_axis)(const onnx::NodeProto& node, const Operand& operand) = nullptr;
  // Axis of the output that carries the output channels; negative counts from the end.
  int (*result_axis)(const onnx::NodeProto& node, const Operand& operand) = nullptr;
  // Multiply-accumulates for one output of this shape, positions in the padding included.
  std::int64_t (*macs)(const onnx::NodeProto& node, const ChannelMatrix& weight,
                       const Shape& output) = nullptr;
  // The data of each group at some output positions, as rows that meet the weights. nullptr: not
  // known for this operator (ConvTranspose adds up its outputs; recurrent operators). Throws what
  // plain_patches and window_patches throw.
  std::vector<Patches> (*patches)(const onnx::NodeProto& node, const Operand& operand,
                                  const ChannelMatrix& weight, const TensorView& data,
                                  const PositionChoice& choice) = nullptr;
};

// Row of the table, nullptr for an operator without one.
[[nodiscard]] const LinearOp* find_linear_op(const onnx::NodeProto& node);
[[nodiscard]] std::vector<std::string> linear_op_names();

// What a step that carries no weights does to its channels (one row each in pointwise.cpp). Of its
// first input; a claim holds for whatever the other inputs are, and for the row of a node as
// find_channel_rule gives it (the node's attributes are taken into account).
struct ChannelRule {
  std::string_view op_type{};
  bool keeps_values = false;  // every output value is an input value (or 0): MaxPool, Reshape,
                              // Transpose, Slice, ...: one scale fits both sides
  bool keeps_channels =
      false;  // axis 1 in = axis 1 out, each channel by itself (Relu, Clip, pools, Identity, ...)
  bool homogeneous = false;  // f(a x) = a f(x) for a > 0
  bool recombines =
      false;  // output values are sums or averages of inputs, or of several inputs side by side
              // (Add, AveragePool, GlobalAveragePool, Concat): integer kernels exist
  bool operator==(const ChannelRule&) const = default;
};
[[nodiscard]] const ChannelRule* find_channel_rule(
    const onnx::NodeProto& node);                             // nullptr: nothing is known of it
[[nodiscard]] std::vector<std::string> channel_rule_names();  // sorted

}  // namespace ocs
