#include "ocs/plan/dynamic_form.h"

#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

// So many products of uint8 and int8 fit into int32.
constexpr std::int64_t most_inputs = 65536;

bool is_plain_gemm(const onnx::NodeProto& node) {
  return int_attribute(node, "transA", 0) == 0 && int_attribute(node, "transB", 0) == 0 &&
         float_attribute(node, "alpha", 1.0F) == 1.0F &&
         float_attribute(node, "beta", 1.0F) == 1.0F;
}

}  // namespace

std::string dynamic_refusal(const Recipe& settings, const Layer& layer, const Graph& graph) {
  const onnx::NodeProto& node = *graph.node_named(layer.node);
  const bool is_product = node.op_type() == "MatMul" || node.op_type() == "Gemm";
  if (!is_product || layer.operand.weight_input != 1)
    return "float data: engines round the data of MatMul and Gemm as they run";
  if (layer.is_in_body) return "float data: it lies in a body";
  if (node.op_type() == "Gemm" && !is_plain_gemm(node))
    return "float data: a Gemm with transposed data, alpha or beta";
  const Shape weight = shape_of(*graph.initializer(layer.weight));
  if (weight.size() != 2) return "float data: its weight is no matrix";
  if (weight[0] > most_inputs) return "float data: int32 would not hold its sums";
  if (settings.weight_bits != 8) return "float data: integer kernels want weights of 8 bits";
  if (settings.weight_granularity == Granularity::block)
    return "float data: integer kernels want one scale for each output channel";
  return "";
}

bool rounds_as_it_runs(const Recipe& settings, const Layer& layer, const Graph& graph) {
  return settings.act_scales == ActScales::dynamic && settings.act_bits.has_value() &&
         dynamic_refusal(settings, layer, graph).empty();
}

}  // namespace ocs
