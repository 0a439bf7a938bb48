// Tables that a Gather looks up: word and position embeddings.
#pragma once

#include <string>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/plan/make_plan.h"
#include "ocs/plan/plan.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// The Gather nodes of the main graph that look computed indices up in a float initializer of two
// axes or more, in graph order.
[[nodiscard]] std::vector<std::string> find_embeddings(const Graph& graph);

// Where the recipe asks for it: an EmbeddingPlan for each of them, rounded to nearest with weight_bits, weight_clip, weight_granularity
// and weight_storage, overrides applied (one scale and bytes where the entries do not lie on the first of two axes); those that keep_float
// names are listed as skipped.
// A table that a layer reads too (a tied decoder) has integers of its own here.
void plan_embeddings(const Graph& graph, const Recipe& recipe, const PlanObserver& observer,
                     Plan& plan);

}  // namespace ocs
