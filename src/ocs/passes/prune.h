#pragma once

#include <set>
#include <string>

#include "ocs/graph/pass_result.h"

namespace ocs {

// Drops what does not bear on the outputs: nodes whose outputs nobody reads (no node, no body, no
// graph output), Identity and Dropout of inference (their readers read the input instead, unless
// their output is a graph output), initializers that nobody reads, and value_info of values that
// are no more. Nodes of other domains than ONNX's own are kept, and what they read: they may have
// effects that we do not know. Of bodies only initializers go.
// `keep`: initializers that stay though nobody reads them.
[[nodiscard]] PassResult prune(Model model, const std::set<std::string>& keep = {});

}  // namespace ocs
