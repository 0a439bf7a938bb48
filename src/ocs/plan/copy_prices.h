// What copies of input channels cost: the one place that a budget asks (docs/splitting.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "ocs/costs/cost_table.h"
#include "ocs/graph/graph.h"
#include "ocs/plan/plan_weights.h"

namespace ocs {

// Of one layer: the price of `copies` >= 0 further input channels; 0 for none. It may fall where they fill a tile of a kernel, but not
// below 0.
using CopyPrice = std::function<double(std::int64_t copies)>;

struct CopyPrices {
  std::vector<CopyPrice> of{};  // of each problem, in their order
  double total = 0.0;           // what all layers cost without copies, in the same unit
};

// Multiply-accumulates of one item, as real as if every copy were written. A weight counts once where nobody knows the data.
[[nodiscard]] CopyPrices mac_prices(const std::vector<WeightProblem>& problems);

// Bytes of the stored weights, copies written.
[[nodiscard]] CopyPrices byte_prices(const std::vector<WeightProblem>& problems);

// Nanoseconds by a cost table: the layer's own kernel with more input channels, and the cheapest way to bring them there (cheapest_form).
// `total` counts the kernels of all layers. Layers whose shapes nobody knows, and those of recurrent nodes, are not for sale.
[[nodiscard]] CopyPrices time_prices(const Graph& graph, const std::vector<WeightProblem>& problems,
                                     const CostTable& costs);

// The form in which `copies` further channels cost least time, of those that the graph allows; automatic where nobody knows the shapes.
// By problem. `copies`: of each problem, 0 for none.
[[nodiscard]] std::vector<SplitForm> cheapest_forms(const Graph& graph,
                                                    const std::vector<WeightProblem>& problems,
                                                    const std::vector<std::int64_t>& copies,
                                                    const CostTable& costs);

}  // namespace ocs
