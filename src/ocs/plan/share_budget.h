#pragma once

#include <map>
#include <vector>

#include "ocs/plan/plan_weights.h"

namespace ocs {

// The copies of all layers together, for at most `budget` times the multiply-accumulates that the
// layers have without (recipe.mac_budget). Layers that get none are not in the result. An error counts
// relative to the energy of the layer's result, in all layers alike. Parallel over layers; deterministic.
[[nodiscard]] std::map<LayerId, std::vector<int>> share_budget(
    const std::vector<WeightProblem>& problems, double budget);

}  // namespace ocs
