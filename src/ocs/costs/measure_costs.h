#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/costs/fit_costs.h"
#include "ocs/engine/engine.h"

namespace ocs {

// Time of one pair of each model: half of what three pairs take longer than one, so that what comes before and behind is not counted; of
// each the least time of `rounds` (>= 1) rounds, in each of which every model runs once with one pair and once with three, on one thread.
// `clock` gives seconds. Throws what the engine throws.
[[nodiscard]] std::vector<PairTime> time_pairs(const std::vector<MicroModel>& models,
                                               const Engine& engine, std::size_t rounds,
                                               const std::function<double()>& clock,
                                               const Progress& progress);

}  // namespace ocs
