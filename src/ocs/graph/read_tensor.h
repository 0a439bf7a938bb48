#pragma once

#include <string_view>

#include "ocs/core/tensor.h"
#include "ocs/graph/graph.h"

namespace ocs {

// The values of the initializer `name`, also of bodies and where they lie in external data. Throws
// Error(internal) where there is none, and what to_tensor throws.
[[nodiscard]] Tensor read_tensor(const Graph& graph, std::string_view name);

}  // namespace ocs
