#pragma once

#include <map>
#include <string>

#include "ocs/core/tensor.h"
#include "ocs/graph/pass_result.h"

namespace ocs {

// Gives the free extents of the model's inputs those of `shapes` (by input), for engines that compile a model for one shape. A named
// extent gets the same wherever its name stands, in outputs, value_info and bodies too, but for a name that stands for several; others than
// the inputs' stay free. A note for each input that had one. Throws Error(bad_input) naming the input where its shape has another rank or
// another extent than one that is not free.
[[nodiscard]] PassResult fix_extents(Model model, const std::map<std::string, Shape>& shapes);

}  // namespace ocs
