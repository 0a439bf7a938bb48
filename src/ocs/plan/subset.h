#pragma once

#include <set>
#include <string>

#include "ocs/plan/plan.h"

namespace ocs {

// The plan with only these layers (and all embeddings) quantized: same integers, same scales, regions and split forms of what is left. `model` is the one
// that the plan was made for. Layers that were taken out are not listed as skipped: the caller knows why.
[[nodiscard]] Plan with_layers(const Model& model, const Recipe& recipe, const Plan& plan,
                               const std::set<LayerId>& layers);

}  // namespace ocs
