#include "ocs/plan/engine_gemm.h"

#include <algorithm>

#include "ocs/graph/graph.h"
#include "ocs/ops/op.h"
#include "ocs/passes/value_facts.h"

namespace ocs {
namespace {

// Then the engine knows the extents of all values but those that depend on data.
bool has_known_extents(const Graph& graph, const Model& model) {
  return std::ranges::all_of(model.graph().input(), [&](const onnx::ValueInfoProto& input) {
    if (graph.initializer(input.name()) != nullptr) return true;
    const auto& type = input.type().tensor_type();
    return type.has_shape() && std::ranges::all_of(type.shape().dim(), [](const auto& extent) {
             return extent.has_dim_value();
           });
  });
}

}  // namespace

void mark_engine_gemms(const Model& model, Plan& plan) {
  const Graph graph(model);
  const ValueFacts facts(model.graph());
  const bool is_known = has_known_extents(graph, model);
  for (LayerPlan& layer : plan.layers) {
    if (layer.op != "MatMul" || !layer.act_bits || layer.is_in_body ||
        layer.operand.weight_input != 1)
      continue;
    const std::string data = data_of(*graph.node_named(layer.node), layer.operand);
    layer.becomes_gemm = is_known || facts.rank(data) == 2;
  }
}

}  // namespace ocs
