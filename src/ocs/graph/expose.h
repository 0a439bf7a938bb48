// Inner values as graph outputs: how calibration and comparison look inside a model.
#pragma once

#include <string>
#include <vector>

#include "ocs/graph/model.h"

namespace ocs {

// The same model with `names` added behind its outputs (those that are outputs already stay where
// they are). A value gets the type and shape that value_info knows; without them the engine infers
// both. Takes the model by value: hand over a clone() or move it, no weight is copied here. Throws
// Error(bad_input) for a name that the main graph does not have.
[[nodiscard]] Model expose(Model model, const std::vector<std::string>& names);

}  // namespace ocs
