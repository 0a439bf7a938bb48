#pragma once

#include "ocs/graph/pass_result.h"

namespace ocs {

// Every value name means one thing in the whole model: a value of a body whose name another graph
// uses too (two branches of an If often do) gets a new one. Names of the main graph stay.
[[nodiscard]] PassResult name_values(Model model);

}  // namespace ocs
