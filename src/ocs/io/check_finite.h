// Finds NaN and infinity in the constants of a model. Used by model_file.cpp alone.
#pragma once

#include "ocs/graph/model.h"

namespace ocs {

// Throws Error(bad_input) naming the tensor and the place in it, or node and attribute, for NaN in
// any float constant of the model (main graph, bodies, local functions), and for infinity in any
// that is not an ordinary value of the operators that read it.
void check_finite(const Model& model);

}  // namespace ocs
