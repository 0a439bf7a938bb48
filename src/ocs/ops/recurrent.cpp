// LSTM, GRU and RNN: two weights a node. W [directions, gates * hidden, inputs] meets the input X, R [directions, gates * hidden, hidden]
// the hidden state of the step before, which no value of the graph holds. The view shows the directions as further rows. Over W they
// read the same inputs; over R each has a hidden state of its own, and column u stands for unit u of every direction: the node has one
// hidden size, so a unit is copied in all of them or in none (docs/adr/0013).
#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/tensor_proto.h"
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

[[noreturn]] void refuse(const onnx::NodeProto& node, const std::string& reason) {
  throw_bad_input(fmt::format("node '{}' ({}): {}", node.name(), node.op_type(), reason));
}

std::int64_t directions_of(const onnx::NodeProto& node) {
  const std::string direction = string_attribute(node, "direction", "forward");
  if (direction == "forward" || direction == "reverse") return 1;
  if (direction == "bidirectional") return 2;
  refuse(node, fmt::format("direction '{}' is none of forward, reverse, bidirectional", direction));
}

// Why the engine would not run its activation functions, "" where it does.
std::string why_not_run(const onnx::NodeProto& node, std::int64_t directions) {
  constexpr std::array known{"affine",   "elu",     "hardsigmoid",    "leakyrelu",
                             "relu",     "sigmoid", "scaledtanh",     "softplus",
                             "softsign", "tanh",    "thresholdedrelu"};
  const onnx::AttributeProto* given = attribute(node, "activations");
  if (given == nullptr || given->strings().empty()) return "";
  const std::int64_t count = directions * (node.op_type() == "LSTM"  ? 3
                                           : node.op_type() == "GRU" ? 2
                                                                     : 1);
  if (given->strings_size() != count)
    return fmt::format("it has {} activation functions, not {}", given->strings_size(), count);
  for (const std::string& name : given->strings()) {
    std::string lower = name;  // the engine does not tell cases apart
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (std::ranges::find(known, lower) == known.end())
      return fmt::format("its activation function '{}' is not run by the engine", name);
  }
  return "";
}

// All that a node holds for its hidden units has the same number of them. Sizes of what is computed
// are not known here.
void check_sizes(const onnx::NodeProto& node, const Graph& graph, std::int64_t directions) {
  const Shape recurrent = shape_of(*graph.initializer(node.input(hidden_weight)));
  check_weight(node, recurrent, {}, 3, 3);
  const std::int64_t hidden = recurrent[2];
  const std::int64_t gates = gates_of(node);
  if (const std::int64_t stated = int_attribute(node, "hidden_size", hidden); stated != hidden)
    throw_bad_weight(node, recurrent, fmt::format("attribute hidden_size is {}", stated));
  constexpr std::int64_t any = -1;
  const auto check = [&](int input, const Shape& wanted) {
    if (input >= node.input_size()) return;
    const onnx::TensorProto* tensor = graph.initializer(node.input(input));
    if (tensor == nullptr) return;
    const Shape found = shape_of(*tensor);
    const bool fits = std::ranges::equal(
        found, wanted, [&](std::int64_t a, std::int64_t b) { return a == b || b == any; });
    if (!fits)
      refuse(node, fmt::format("'{}' has the shape {} where {} is needed", tensor->name(),
                               to_string(found), to_string(wanted)));
  };
  check(input_weight, {directions, gates * hidden, any});
  check(hidden_weight, {directions, gates * hidden, hidden});
  check(3, {directions, 2 * gates * hidden});
  check(5, {directions, any, hidden});
  if (node.op_type() != "LSTM") return;
  check(6, {directions, any, hidden});
  check(7, {directions, 3 * hidden});
}

Operands operands(const onnx::NodeProto& node, const Graph& graph) {
  // The engine's CPU kernels refuse it (ONNX Runtime 1.32), so nobody could check what was written.
  if (int_attribute(node, "layout", 0) != 0) return "layout 1 is not run by the engine";
  for (const int weight : {input_weight, hidden_weight})
    if (std::string reason = why_no_weight(node, graph, weight); !reason.empty()) return reason;
  const std::int64_t directions = directions_of(node);
  if (std::string reason = why_not_run(node, directions); !reason.empty()) return reason;
  check_sizes(node, graph, directions);
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
