// Conv(x, w[4, 3, 5, 5])   ->   Conv(x, w[4, 3, 5, 5]) {kernel_shape = [5, 5]}
#include "ocs/passes/state_kernels.h"

#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {

PassResult state_kernels(Model model) {
  std::vector<std::pair<int, Shape>> kernels;
  {
    const Graph graph(model);
    for (int i = 0; i < model.graph().node_size(); ++i) {
      const onnx::NodeProto& node = model.graph().node(i);
      const bool has_window = node.op_type() == "Conv" || node.op_type() == "ConvTranspose";
      if (!has_window || node.input_size() < 2 || attribute(node, "kernel_shape") != nullptr)
        continue;
      const onnx::TensorProto* weight = graph.initializer(node.input(1));
      if (weight == nullptr || weight->dims_size() < 3) continue;
      const Shape shape = shape_of(*weight);
      kernels.emplace_back(i, Shape(shape.begin() + 2, shape.end()));
    }
  }
  for (const auto& [node, kernel] : kernels)
    set_attribute(*model.graph().mutable_node(node), "kernel_shape", kernel);
  return {.model = std::move(model)};
}

}  // namespace ocs
