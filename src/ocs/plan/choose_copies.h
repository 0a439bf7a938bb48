// How many copies of which input channels a layer gets (docs/splitting.md).
#pragma once

#include <string>
#include <vector>

#include "ocs/plan/copy_prices.h"
#include "ocs/plan/plan_weights.h"
#include "ocs/quant/channel_matrix.h"
#include "ocs/split/budget.h"

namespace ocs {

// Why this layer is not split though its recipe asks for it, "" where it is.
[[nodiscard]] std::string split_refusal(const WeightProblem& problem, const ChannelMatrix& weight);

// Physical channels of each input channel by recipe.expand_ratio; empty: no copies. Largest first: of the tensor (the
// paper's rule), or with `per_row` of rows divided by their own spread.
[[nodiscard]] std::vector<int> choose_copies(const WeightProblem& problem,
                                             const ChannelMatrix& weight, bool per_row);

// What ever more copies of this layer's channels bring (CopyOffer::error: of the weights that `settings.weight_clip` and rounding to
// nearest make, as the data weigh them, over the energy of the output; inputs taken as uncorrelated), each offer half as large again as the one before, each up to a multiple that the
// engine's kernels want. None dearer than `budget`. The first offer is none, for nothing.
[[nodiscard]] std::vector<CopyOffer> copy_offers(const WeightProblem& problem,
                                                 const CopyPrice& price, double budget);

}  // namespace ocs
