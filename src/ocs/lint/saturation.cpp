#include "ocs/lint/saturation.h"

#include <algorithm>

#include <fmt/format.h>

#include "ocs/graph/tensor_proto.h"
#include "ocs/ops/op.h"
#include "ocs/quant/pair_sums.h"

namespace ocs {
namespace {

constexpr std::int32_t type_uint8 = 2;
constexpr std::int32_t type_int8 = 3;
constexpr std::int32_t highest_uint8 = 255;

struct PairCount {
  std::int64_t pairs = 0;
  std::int64_t over = 0;  // the limit
  std::int32_t largest = 0;
};

PairCount count_pairs(const ChannelMatrix& weight, std::span<const std::int8_t> stored) {
  const std::int32_t limit = pair_limit(highest_uint8);
  PairCount count;
  for (std::int64_t group = 0; group < weight.groups; ++group)
    for (std::int64_t output = 0; output < weight.outputs; ++output)
      for_each_pair(weight, group, output, [&](std::size_t a, std::size_t b) {
        const std::int32_t excess = pair_excess(stored[a], stored[b], limit);
        ++count.pairs;
        count.over += excess > 0 ? 1 : 0;
        count.largest = std::max(count.largest, excess > 0 ? excess + limit : 0);
      });
  return count;
}

const Step* dequantize_ahead(const WorkingGraph& graph, const Step& layer, std::size_t input) {
  const Step* source = input < layer.inputs.size() ? graph.producer(layer.inputs[input]) : nullptr;
  return source != nullptr && source->is_dequantize() ? source : nullptr;
}

}  // namespace

std::string saturation_warning(const WorkingGraph& graph, const Step& layer) {
  const LinearOp* op = layer.node == nullptr ? nullptr : find_linear_op(*layer.node);
  const Step* data = dequantize_ahead(graph, layer, 0);
  const Step* weight = dequantize_ahead(graph, layer, 1);
  if (op == nullptr || op->is_recurrent || data == nullptr || weight == nullptr ||
      data->quantizer.type != type_uint8 || weight->quantizer.type != type_int8 ||
      weight->quantizer.zero_point != 0)
    return "";
  const onnx::TensorProto* proto = graph.constant(weight->inputs.front());
  if (proto == nullptr) return "";
  const Tensor stored = to_tensor(*proto, graph.folder());
  const bool is_kernel = layer.op == "Conv" ? stored.shape.size() >= 3 : stored.shape.size() == 2;
  if (!is_kernel) return "";
  const ChannelMatrix view = op->view(*layer.node, Operand{}, stored.shape, {});
  if (!adds_pairs(view)) return "";
  const PairCount count = count_pairs(view, stored.as<std::int8_t>());
  if (count.over == 0) return "";
  return fmt::format(
      "{} of {} pairs of its weights add up to more than {} (the most: {}): sums of 16 bits can "
      "saturate",
      count.over, count.pairs, pair_limit(highest_uint8), count.largest);
}

}  // namespace ocs
