#include "ocs/lint/channel_hint.h"

#include <fmt/format.h>

namespace ocs {
namespace {

constexpr std::int64_t input_multiple = 4;
constexpr std::int64_t channels_of_an_image = 4;
constexpr std::int64_t depthwise_multiple = 16;

// The weight, for its shape, where it is constant, of the QDQ form or of QLinearConv; nullptr elsewhere.
const onnx::TensorProto* weight_of(const WorkingGraph& graph, const Step& layer) {
  if (layer.op == "QLinearConv" && layer.inputs.size() > 3)
    return graph.source_of_weights(layer.inputs[3]).tensor;
  if (layer.op != "Conv" || layer.inputs.size() < 2) return nullptr;
  const Step* source = graph.producer(layer.inputs[1]);
  return source != nullptr && source->is_dequantize()
             ? graph.source_of_weights(source->inputs.front()).tensor
             : nullptr;
}

std::int64_t groups_of(const Step& layer) {
  if (layer.node != nullptr)
    for (const onnx::AttributeProto& attribute : layer.node->attribute())
      if (attribute.name() == "group") return attribute.i();
  return 1;
}

// One input and one output for each group.
std::string depthwise_hint(std::int64_t channels) {
  const std::int64_t off = channels % depthwise_multiple;
  if (off == 0) return "";
  const std::int64_t more = depthwise_multiple - off;
  return fmt::format(
      "has {} channels, depthwise: the kernel is 1.5 to 3 times as slow as with {}; add {} more "
      "(zeros, or copies by --mac-budget)",
      channels, channels + more, more);
}

}  // namespace

std::string channel_hint(const WorkingGraph& graph, const Step& layer) {
  const onnx::TensorProto* weight = weight_of(graph, layer);
  if (weight == nullptr || weight->dims_size() < 3) return "";
  const std::int64_t inputs = weight->dims(1);
  const std::int64_t groups = groups_of(layer);
  if (groups > 1 && inputs == 1 && weight->dims(0) == groups) return depthwise_hint(groups);
  if (groups != 1) return "";
  const std::int64_t off = inputs % input_multiple;
  if (off == 0 || inputs <= channels_of_an_image) return "";
  return fmt::format(
      "reads {} channels: the kernel is up to 2.2 times as slow as with {}; add {} more (zeros, or "
      "copies by --mac-budget)",
      inputs, inputs + input_multiple - off, input_multiple - off);
}

}  // namespace ocs
