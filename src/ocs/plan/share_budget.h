#pragma once

#include <map>
#include <vector>

#include "ocs/plan/copy_prices.h"
#include "ocs/plan/plan_weights.h"

namespace ocs {

// The copies of all layers together, for at most `budget` times what the layers cost without, by these prices. Layers that get none are
// not in the result. Minimizes the sum over layers of gain times relative error, by marginal gains (docs/splitting.md). Parallel over
// layers; deterministic.
[[nodiscard]] std::map<LayerId, std::vector<int>> share_budget(
    const std::vector<WeightProblem>& problems, const CopyPrices& prices, double budget,
    const LayerGains& gains = {});

}  // namespace ocs
