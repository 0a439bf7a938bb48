#pragma once

#include <string>

#include "ocs/graph/graph.h"
#include "ocs/plan/find_layers.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// Why a layer cannot round its data as it runs, with a scale of each run (DynamicQuantizeLinear and MatMulInteger); "" where it can:
// MatMul, and Gemm as normalize_gemm leaves it, of a matrix on the right with 8 bits and scales of rows or one.
[[nodiscard]] std::string dynamic_refusal(const Recipe& settings, const Layer& layer,
                                          const Graph& graph);

// Whether it does so under these settings (act_scales dynamic). Then quantizes_data() is false: no scale is planned.
[[nodiscard]] bool rounds_as_it_runs(const Recipe& settings, const Layer& layer,
                                     const Graph& graph);

}  // namespace ocs
