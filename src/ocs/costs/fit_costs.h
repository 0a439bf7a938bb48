// From measured times of small models to the coefficients of a cost table.
#pragma once

#include <span>
#include <vector>

#include "ocs/costs/cost_table.h"
#include "ocs/costs/micro_model.h"

namespace ocs {

// Time of one pair of layers of a micro model (its `pairs` does not matter).
struct PairTime {
  MicroModel micro{};
  double ns = 0.0;        // at least 1
  double whole_ns = 0.0;  // the longer one of the two runs whose difference it is
};

// x >= 0 that minimizes |A x - b|^2, by coordinate descent on the normal equations (convex: any start ends there). `rows` of A all have
// the same length; b one value a row. A column of zeros gets 0.
[[nodiscard]] std::vector<double> nonnegative_least_squares(
    const std::vector<std::vector<double>>& rows, std::span<const double> b);

// Coefficients of each kernel with the least sum of squared relative errors, none negative, where a difference of two times counts for no surer than a
// thirtieth of the longer one; then those of moves, from what a pair with a
// move takes longer than the same pair without, less what its further channels cost by the kernels' coefficients. Machine and engine are
// left empty. A difference below that says nothing of a move. A kernel or move without measurements costs nothing. Throws Error(internal) where a pair with a move has none without.
[[nodiscard]] CostTable fit_costs(std::span<const PairTime> times);

}  // namespace ocs
