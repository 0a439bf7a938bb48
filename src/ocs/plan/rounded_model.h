#pragma once

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"

namespace ocs {

// Gives a layer the weights and the bias that its integers stand for, in float. `model` is the float
// model that was planned, or one that this function made of it. Old initializers stay: `prune` drops
// those that nobody reads.
void replace_by_rounded(Model& model, const LayerPlan& layer);

}  // namespace ocs
