#include "ocs/plan/rounded_model.h"

#include <string>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

onnx::NodeProto& node_of(Model& model, const std::string& name) {
  for (onnx::NodeProto& node : *model.graph().mutable_node())
    if (node.name() == name) return node;
  throw_internal("no node '" + name + "'");
}

// The operator has no bias of its own: an Add behind it, whose result keeps the name.
void add_behind(Model& model, const LayerPlan& layer, const std::vector<float>& bias) {
  onnx::NodeProto& node = node_of(model, layer.node);
  Tensor shift{.shape = {static_cast<std::int64_t>(bias.size())}, .values = bias};
  if (find_linear_op(node)->result_axis(node, layer.operand) == -2) shift.shape.push_back(1);
  const std::string added = add_initializer(model, layer.node + "_rounded_bias", shift);
  const std::string result = node.output(0);
  const std::string raw = model.unique_name(result + "_uncorrected");
  node.set_output(0, raw);
  add_node(model, "Add", layer.node + "_rounded_Add", {raw, added}, {result});
  sort_topologically(model);
}

}  // namespace

void replace_by_rounded(Model& model, const LayerPlan& layer) {
  onnx::NodeProto& node = node_of(model, layer.node);
  const LinearOp& op = *find_linear_op(node);
  const onnx::TensorProto* proto = Graph(model).initializer(layer.weight);
  if (proto == nullptr) throw_internal("no initializer '" + layer.weight + "'");
  Tensor weight{.shape = shape_of(*proto), .values = std::vector<float>(layer.stored.size(), 0.0F)};
  const std::vector<float>& scale = layer.params.scale;
  for_each_weight(op.view(node, layer.operand, weight.shape, weight.as<float>()),
                  [&](std::int64_t row, std::int64_t, std::size_t at) {
                    weight.as<float>()[at] =
                        static_cast<float>(layer.stored[at]) *
                        (scale.size() == 1 ? scale[0] : scale[static_cast<std::size_t>(row)]);
                  });
  node.set_input(layer.operand.weight_input,
                 add_initializer(model, layer.weight + "_rounded", weight));
  if (layer.bias.empty() || op.is_recurrent) return;
  if (layer.adds_bias) return add_behind(model, layer, layer.bias);
  while (node.input_size() <= *layer.operand.bias_input) node.add_input();
  node.set_input(*layer.operand.bias_input,
                 add_initializer(model, layer.node + "_rounded_bias",
                                 {.shape = {static_cast<std::int64_t>(layer.bias.size())},
                                  .values = layer.bias}));
}

}  // namespace ocs
