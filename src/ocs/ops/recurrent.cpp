// LSTM, GRU and RNN: two weights a node. W [directions, gates * hidden, inputs] meets the input X, R [directions, gates * hidden, hidden]
// the hidden state of the step before, which no value of the graph holds. The view shows the directions as further rows. Over W they
// read the same inputs; over R each has a hidden state of its own, and column u stands for unit u of every direction: the node has one
// hidden size, so a unit is copied in all of them or in none (docs/adr/0013).
#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/ops/table.h"
#include "ocs/ops/weights.h"

namespace ocs {
namespace {

constexpr int input_weight = 1;
constexpr int hidden_weight = 2;

std::int64_t gates_of(const onnx::NodeProto& node) {
  if (node.op_type() == "LSTM") return 4;
  return node.op_type() == "GRU" ? 3 : 1;
}

Operands operands(const onnx::NodeProto& node, const Graph& graph) {
  // The engine's CPU kernels refuse it (ONNX Runtime 1.32), so nobody could check what was written.
  if (int_attribute(node, "layout", 0) != 0) return "layout 1 is not run by the engine";
  for (const int weight : {input_weight, hidden_weight})
    if (std::string reason = why_no_weight(node, graph, weight); !reason.empty()) return reason;
  return std::vector{
      Operand{.data_input = 0, .weight_input = input_weight, .part = "W"},
      Operand{.data_input = std::nullopt, .weight_input = hidden_weight, .part = "R"}};
}

ChannelMatrix view(const onnx::NodeProto& node, const Operand&, const Shape& weight,
                   std::span<const float> values) {
  check_weight(node, weight, values, 3, 3);
  if (weight[1] % gates_of(node) != 0)
    throw_bad_weight(node, weight, fmt::format("{} rows for {} gates", weight[1], gates_of(node)));
  return {.data = values,
          .outputs = weight[0] * weight[1],
          .inputs = weight[2],
          .group_stride = weight[0] * weight[1] * weight[2],
          .output_stride = weight[2],
          .input_stride = 1};
}

constexpr LinearOp recurrent(std::string_view op_type) {
  return {
      .op_type = op_type,
      .is_recurrent = true,
      .operands = operands,
      .view = view,
      .output_axis = [](const onnx::NodeProto&, const Operand&, const Shape&)
          -> std::optional<int> { return 1; },  // and the directions ahead of it
      .input_axis = [](const onnx::NodeProto&, const Operand&, const Shape&) { return 2; },
      .data_axis = [](const onnx::NodeProto&, const Operand&) { return -1; },
      .result_axis = [](const onnx::NodeProto&, const Operand&) { return -1; },
      // Of Y, [time, directions, batch, hidden]; where the node gives the last state alone, one step.
      .macs =
          [](const onnx::NodeProto& node, const ChannelMatrix& weight, const Shape& output) {
            return element_count(output) * gates_of(node) / weight.rows() * weight.size();
          },
  };
}

}  // namespace

constinit const LinearOp lstm = recurrent("LSTM");
constinit const LinearOp gru = recurrent("GRU");
constinit const LinearOp rnn = recurrent("RNN");

}  // namespace ocs
