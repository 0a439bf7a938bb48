#pragma once

#include "ocs/graph/pass_result.h"

namespace ocs {

// Gives every node of the main graph and of the bodies in it a name that no other node has: its own
// where it has one and is the first with it, else its operator and first output ("Conv_y"). Plan,
// report and recipe refer to nodes by name. Functions of the model are left alone.
[[nodiscard]] PassResult name_nodes(Model model);

}  // namespace ocs
