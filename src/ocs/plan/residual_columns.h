// Outlier channel splitting for weights in blocks. A block has a scale of its own, so that half of a large weight brings little;
// what brings more is to round what rounding has left of the channels where that costs most, and to give it inputs of its own:
//
//   y = Q(W) x + Q(R) x_c,      R = W_c - Q(W)_c for the channels c
//
// (docs/splitting.md). The residuals fill blocks of their own behind the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ocs/plan/plan.h"
#include "ocs/plan/plan_weights.h"
#include "ocs/quant/channel_matrix.h"
#include "ocs/round/round.h"

namespace ocs {

// Why a weight in blocks gets no residual columns though its recipe asks for copies, "" where it gets some.
[[nodiscard]] std::string residual_refusal(const WeightProblem& problem,
                                           const ChannelMatrix& weight);

// The input channels where what rounding to nearest leaves costs most, as the data weigh it: expand_ratio of them, up to a whole
// number of blocks; ascending. `rounding`: what is going to be rounded, its energy where there is one.
[[nodiscard]] std::vector<std::int64_t> residual_channels(const WeightProblem& problem,
                                                          const RoundProblem& rounding);

// Scales by weight_clip for what the integers leave of these channels, and all rounded once more with them: `rounded`, which came of
// `rounding` with these channels as `exact`, is replaced.
[[nodiscard]] ResidualColumns residual_columns(const Recipe& settings, const RoundProblem& rounding,
                                               Rounded& rounded);

// What the residual columns of a layer add to its weights, in the layout of `weight`; empty: it has none.
[[nodiscard]] std::vector<float> residual_weights(const ChannelMatrix& weight,
                                                  const LayerPlan& layer);

}  // namespace ocs
