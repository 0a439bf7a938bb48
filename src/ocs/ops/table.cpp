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

std::vector<std::string> linear_op_names() {
  std::vector<std::string> names;
  for (const LinearOp* op : all_ops) names.emplace_back(op->op_type);
  std::ranges::sort(names);
  return names;
}

}  // namespace ocs
