#include "ocs/ops/table.h"

#include <algorithm>
#include <array>

namespace ocs {
namespace {

// A new operator adds its name here.
constexpr std::array all_ops{&conv, &conv_transpose, &gemm, &matmul, &lstm, &gru, &rnn};

}  // namespace

const LinearOp* find_linear_op(const onnx::NodeProto& node) {
  if (!in_default_domain(node)) return nullptr;
  const auto* const found =
      std::ranges::find(all_ops, node.op_type(), [](const LinearOp* op) { return op->op_type; });
  return found == all_ops.end() ? nullptr : *found;
}

std::string layer_name(const LayerId& layer) {
  return layer.part.empty() ? layer.node : layer.node + "." + layer.part;
}

std::string data_of(const onnx::NodeProto& node, const Operand& operand) {
  const int index = operand.data_input.value_or(node.input_size());
  return index < node.input_size() ? node.input(index) : "";
}

std::vector<std::string> computed_inputs(const Graph& graph, const onnx::NodeProto& node) {
  std::vector<std::string> inputs;
  for (const std::string& input : node.input()) {
    if (input.empty() || graph.initializer(input) != nullptr) continue;
    if (std::ranges::find(inputs, input) == inputs.end()) inputs.push_back(input);
  }
  return inputs;
}

std::string result_of(const onnx::NodeProto& node) {
  const auto found =
      std::ranges::find_if(node.output(), [](const std::string& name) { return !name.empty(); });
  return found == node.output().end() ? "" : *found;
}

std::vector<std::string> linear_op_names() {
  std::vector<std::string> names;
  for (const LinearOp* op : all_ops) names.emplace_back(op->op_type);
  std::ranges::sort(names);
  return names;
}

}  // namespace ocs
