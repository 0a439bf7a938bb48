// LSTM, GRU and RNN have weights, but stay float in this version: their rows say so, and nothing
// else of them is called.
#include "ocs/core/error.h"
#include "ocs/ops/table.h"

namespace ocs {
namespace {

[[noreturn]] void refuse(const onnx::NodeProto& node) {
  throw_internal("node '" + node.name() + "' (" + node.op_type() + ") was taken for a layer");
}

constexpr LinearOp stays_float(std::string_view op_type) {
  return {
      .op_type = op_type,
      .operands = [](const onnx::NodeProto&, const Graph&) -> Operands {
        return "recurrent operators stay float";
      },
      .view = [](const onnx::NodeProto& node, const Operand&, const Shape&,
                 std::span<const float>) -> ChannelMatrix { refuse(node); },
      .output_axis = [](const onnx::NodeProto& node, const Operand&,
                        const Shape&) -> std::optional<int> { refuse(node); },
      .input_axis = [](const onnx::NodeProto& node, const Operand&, const Shape&) -> int {
        refuse(node);
      },
      .data_axis = [](const onnx::NodeProto& node, const Operand&) -> int { refuse(node); },
      .result_axis = [](const onnx::NodeProto& node, const Operand&) -> int { refuse(node); },
      .macs = [](const onnx::NodeProto& node, const ChannelMatrix&, const Shape&) -> std::int64_t {
        refuse(node);
      },
  };
}

}  // namespace

constinit const LinearOp lstm = stays_float("LSTM");
constinit const LinearOp gru = stays_float("GRU");
constinit const LinearOp rnn = stays_float("RNN");

}  // namespace ocs
