// Conv(x, w[4, 3, 5, 5])   ->   Conv(x, w[4, 3, 5, 5]) {kernel_shape = [5, 5]}
#include "ocs/passes/state_kernels.h"

#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"

namespace ocs {

PassResult state_kernels(Model model) {
  const Graph graph(model);  // of names and initializers, which this pass leaves alone
  for_each_graph(model.graph(), [&](onnx::GraphProto& each) {
    for (onnx::NodeProto& node : *each.mutable_node()) {
      const bool has_window = node.op_type() == "Conv" || node.op_type() == "ConvTranspose";
      if (!has_window || node.input_size() < 2 || attribute(node, "kernel_shape") != nullptr)
        continue;
      const onnx::TensorProto* weight = graph.initializer(node.input(1));
      if (weight == nullptr || weight->dims_size() < 3) continue;
      const Shape shape = shape_of(*weight);
      set_attribute(node, "kernel_shape", Shape(shape.begin() + 2, shape.end()));
    }
  });
  return {.model = std::move(model)};
}

}  // namespace ocs
