#include "ocs/plan/rounded_model.h"

#include <string>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"
#include "ocs/plan/residual_columns.h"
#include "ocs/quant/scale_index.h"

namespace ocs {
namespace {

onnx::NodeProto& node_of(Model& model, const std::string& name) {
  onnx::NodeProto* found = nullptr;
  for_each_graph(model.graph(), [&](onnx::GraphProto& graph) {
    for (onnx::NodeProto& node : *graph.mutable_node())
      if (node.name() == name) found = &node;
  });
  if (found == nullptr) throw_internal("no node '" + name + "'");
  return *found;
}

}  // namespace

void replace_by_rounded(Model& model, const LayerPlan& layer) {
  onnx::NodeProto& node = node_of(model, layer.node);
  const LinearOp& op = *find_linear_op(node);
  const onnx::TensorProto* proto = Graph(model).initializer(layer.weight);
  if (proto == nullptr) throw_internal("no initializer '" + layer.weight + "'");
  Tensor weight{.shape = shape_of(*proto), .values = std::vector<float>(layer.stored.size(), 0.0F)};
  const std::vector<float>& scale = layer.params.scale;
  const ChannelMatrix view = op.view(node, layer.operand, weight.shape, weight.as<float>());
  const ScaleIndex index(view, scale.size(), layer.params.block);
  for_each_weight(view, [&](std::int64_t row, std::int64_t column, std::size_t at) {
    weight.as<float>()[at] = static_cast<float>(layer.stored[at]) * scale[index(row, column)];
  });
  const std::vector<float> added = residual_weights(view, layer);
  for (std::size_t i = 0; i < added.size(); ++i) weight.as<float>()[i] += added[i];
  node.set_input(layer.operand.weight_input,
                 add_initializer(model, layer.weight + "_rounded", weight));
  if (layer.bias.empty() || op.is_recurrent) return;
  const std::string base = layer.node + "_rounded_bias";
  Tensor bias{.shape = {static_cast<std::int64_t>(layer.bias.size())}, .values = layer.bias};
  if (!layer.adds_bias)
    return set_input(node, layer.operand.bias_input.value(), add_initializer(model, base, bias));
  // The operator has no bias of its own: an Add behind it.
  if (op.result_axis(node, layer.operand) == -2) bias.shape.push_back(1);
  add_behind(model, node, base, bias);
  sort_topologically(model);
}

}  // namespace ocs
