#include "ocs/passes/inference_nodes.h"

#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

// training_mode, the third input since opset 12: absent or a constant false.
bool is_inference_dropout(const Graph& graph, const onnx::NodeProto& node) {
  if (node.input_size() < 3 || node.input(2).empty()) return true;
  const onnx::TensorProto* mode = graph.initializer(node.input(2));
  if (mode == nullptr || mode->data_type() != onnx::TensorProto::BOOL) return false;
  const Tensor value = to_tensor(*mode);
  return value.as<Boolean>().size() == 1 && value.as<Boolean>().front() == Boolean::no;
}

}  // namespace

bool passes_input_on(const Graph& graph, const onnx::NodeProto& node) {
  if (!in_default_domain(node) || node.input_size() < 1 || node.output_size() < 1) return false;
  if (node.output(0).empty() || node.input(0).empty()) return false;
  if (node.op_type() == "Identity") return true;
  if (node.op_type() != "Dropout" || !is_inference_dropout(graph, node)) return false;
  if (node.output_size() < 2 || node.output(1).empty()) return true;
  return graph.uses(node.output(1)).empty() && !graph.is_graph_output(node.output(1));
}

}  // namespace ocs
