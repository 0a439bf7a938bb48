// LSTM, GRU and RNN: two weights a node. W [directions, gates * hidden, inputs] meets the input X, R [directions, gates * hidden, hidden]
// the hidden state of the step before, which no value of the graph holds. Each direction has a hidden state of its own: the view shows
// the directions of W as further rows over the same inputs, those of R as groups.
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

ChannelMatrix view(const onnx::NodeProto& node, const Operand& operand, const Shape& weight,
                   std::span<const float> values) {
  check_weight(node, weight, values, 3, 3);
  if (weight[1] % gates_of(node) != 0)
    throw_bad_weight(node, weight, fmt::format("{} rows for {} gates", weight[1], gates_of(node)));
  const bool is_hidden = operand.weight_input == hidden_weight;
  return {.data = values,
          .groups = is_hidden ? weight[0] : 1,
          .outputs = is_hidden ? weight[1] : weight[0] * weight[1],
          .inputs = weight[2],
          .group_stride = weight[1] * weight[2],
          .output_stride = weight[2],
          .input_stride = 1};
}

constexpr LinearOp recurrent(std::string_view op_type) {
  return {
      .op_type = op_type,
      .is_recurrent = true,
      .operands = operands,
      .view = view,
      // Rows of several directions lie on two axes.
      .output_axis = [](const onnx::NodeProto&, const Operand&, const Shape& weight)
          -> std::optional<int> { return weight[0] == 1 ? std::optional<int>(1) : std::nullopt; },
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
