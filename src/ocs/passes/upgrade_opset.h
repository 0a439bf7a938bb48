#pragma once

#include <cstdint>

#include "ocs/graph/pass_result.h"

namespace ocs {

// Raises the default domain's opset to `target` (13 to 25), in the main graph, in the bodies of If,
// Loop and Scan and in the model's functions, by a rule for every operator whose definition changed
// on the way (upgrade_table.h). A node keeps its name and its outputs theirs. No-op at or above
// `target`, but that the IR version is raised in any case to what the opset needs, and to 4.
// Throws Error(unsupported) naming node and operator for a node that no rule covers, a default
// domain operator of no opset, and a model older than opset 7. Other domains are left alone.
[[nodiscard]] PassResult upgrade_opset(Model model, std::int64_t target);

}  // namespace ocs
