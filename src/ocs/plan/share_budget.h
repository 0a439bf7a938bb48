#pragma once

#include <map>
#include <vector>

#include "ocs/plan/plan_weights.h"

namespace ocs {

// The copies of all layers together, for at most `budget` times the multiply-accumulates that the
// layers have without (recipe.mac_budget). Layers that get none are not in the result. `weights`: what a
// layer's error, relative to the energy of its result, counts against that of the others; 1 for a layer that is not
// there, so that empty means all alike. Parallel over layers; deterministic.
[[nodiscard]] std::map<LayerId, std::vector<int>> share_budget(
    const std::vector<WeightProblem>& problems, double budget,
    const std::map<LayerId, double>& weights = {});

}  // namespace ocs
