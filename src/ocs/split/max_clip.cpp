#include "ocs/split/max_clip.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "ocs/core/error.h"

namespace ocs {
namespace {

double cost_of(const MaxClipProblem& problem, std::size_t channel) {
  return problem.cost.empty() ? 1.0 : problem.cost[channel];
}

void check(const MaxClipProblem& problem) {
  const bool sizes = problem.cost.empty() || problem.cost.size() == problem.max_abs.size();
  if (!sizes || !(problem.budget >= 0.0)) throw_internal("least_max: no budget or sizes differ");
  for (std::size_t c = 0; c < problem.max_abs.size(); ++c) {
    if (!(cost_of(problem, c) > 0.0) || !(problem.budget / cost_of(problem, c) < 0x1p30)) {
      throw_internal("least_max: a cost that is not positive, or too small for the budget");
    }
  }
}

// Copies that bring a channel down to `limit`; more than `most` counts as infinitely many.
double copies_for(float max_abs, float limit, double most) {
  if (max_abs <= limit) return 1.0;
  double copies = std::ceil(static_cast<double>(max_abs) / static_cast<double>(limit));
  if (copies > most + 1.0) return HUGE_VAL;
  // The quotient is meant in float, as everywhere: one copy more or less may do after rounding.
  const auto fits = [&](double m) { return max_abs / static_cast<float>(m) <= limit; };
  while (copies > 2.0 && fits(copies - 1.0)) copies -= 1.0;
  while (!fits(copies)) copies += 1.0;
  return copies;
}

// Cost of bringing every channel down to `limit`; stops counting above the budget.
double cost_for(const MaxClipProblem& problem, float limit) {
  double cost = 0.0;
  for (std::size_t c = 0; c < problem.max_abs.size() && cost <= problem.budget; ++c) {
    const double most = problem.budget / cost_of(problem, c) + 1.0;
    cost += (copies_for(problem.max_abs[c], limit, most) - 1.0) * cost_of(problem, c);
  }
  return cost;
}

}  // namespace

MaxClipSplit least_max(const MaxClipProblem& problem) {
  check(problem);
  MaxClipSplit split{.copies = std::vector<int>(problem.max_abs.size(), 1)};
  if (problem.max_abs.empty()) return split;
  // Floats that are not negative are ordered as their bits are. At `high` the cost is within the
  // budget, at `low` it is not.
  auto high = std::bit_cast<std::uint32_t>(std::ranges::max(problem.max_abs));
  std::uint32_t low = 0;  // zero cannot be reached
  while (high > low + 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    const bool within = cost_for(problem, std::bit_cast<float>(middle)) <= problem.budget;
    (within ? high : low) = middle;
  }
  const auto limit = std::bit_cast<float>(high);
  for (std::size_t c = 0; c < split.copies.size(); ++c) {
    const double copies = copies_for(problem.max_abs[c], limit, HUGE_VAL);
    split.copies[c] = static_cast<int>(copies);
    split.cost += (copies - 1.0) * cost_of(problem, c);
    split.max_abs_after =
        std::max(split.max_abs_after, problem.max_abs[c] / static_cast<float>(copies));
  }
  return split;
}

}  // namespace ocs
