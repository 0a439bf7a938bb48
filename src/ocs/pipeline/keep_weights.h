// Models that are larger than memory: weights alone are rounded, a few layers at a time, and their integers go straight to the
// file that is being written.
#pragma once

#include "ocs/graph/model.h"
#include "ocs/io/model_file.h"
#include "ocs/plan/make_plan.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// Whether each weight is rounded for itself under this recipe, whatever others and the data are: no quantized activations, no
// copies, rounding to nearest. Only then may RunOptions::keep be set.
[[nodiscard]] bool can_keep_weights(const Recipe& recipe);

// Hands the integers of each planned layer to `keep`, as they are written, and takes them out of the plan. Layers that
// read one weight with the same scales share one tensor. `prepared`: the model that is planned; both outlive the observer.
[[nodiscard]] PlanObserver keep_weights(const Model& prepared, const KeepTensor& keep);

}  // namespace ocs
