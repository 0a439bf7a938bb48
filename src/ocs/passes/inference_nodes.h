#pragma once

#include "ocs/graph/graph.h"

namespace ocs {

// Identity, and Dropout of inference whose mask nobody reads: output 0 is input 0.
[[nodiscard]] bool passes_input_on(const Graph& graph, const onnx::NodeProto& node);

}  // namespace ocs
