#include "ocs/graph/read_tensor.h"

#include <string>

#include "ocs/core/error.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {

Tensor read_tensor(const Graph& graph, std::string_view name) {
  const onnx::TensorProto* proto = graph.initializer(name);
  if (proto == nullptr) throw_internal("no initializer '" + std::string(name) + "'");
  return to_tensor(*proto, graph.model().file().parent_path());
}

}  // namespace ocs
