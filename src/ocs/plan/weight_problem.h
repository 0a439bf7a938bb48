#pragma once

#include <map>
#include <string>

#include "ocs/graph/graph.h"
#include "ocs/plan/plan_weights.h"

namespace ocs {

// What plan_weights needs to know of one layer: weight and bias read, overrides applied, statistics
// and the plan of its input looked up. `stats` may be null. The result points into `layer`, `graph`,
// `stats` and `plan`. Throws Error(bad_input) naming the node where the bias does not fit.
[[nodiscard]] WeightProblem weight_problem(const Graph& graph, const Layer& layer,
                                           const CalibrationStats* stats, const Plan& plan,
                                           const Recipe& recipe,
                                           const std::map<std::string, UnfoldedRows>& unfolded);

// Why the weights of a layer cannot have a scale for each block, whatever the recipe asks for; "" where they can. They have
// one for each output channel then.
[[nodiscard]] std::string block_refusal(const WeightProblem& problem, const ChannelMatrix& weight);

// Bits of the tensor that will hold the integers: 8, 4 or 2. Integer kernels want int8.
[[nodiscard]] int storage_bits(const WeightProblem& problem, const ChannelMatrix& weight);

// E[x_c^2] (`squares`) or E[x_c] of each input channel, columns() values; empty: unknown.
[[nodiscard]] std::vector<double> channel_values(const WeightProblem& problem,
                                                 const ChannelMatrix& weight, bool squares);

}  // namespace ocs
