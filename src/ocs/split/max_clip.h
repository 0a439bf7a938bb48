// Copies under a budget for the max clip, exactly (docs/splitting.md): with equal parts and
// threshold max|w| the step of the split tensor is max_c M_c / m_c, where M_c is the largest |w| of
// input channel c and m_c the number of its copies. The least such maximum under a budget needs no
// greedy search; for unit costs select_largest with equal parts arrives at the same value.
#pragma once

#include <span>
#include <vector>

namespace ocs {

struct MaxClipProblem {
  std::span<const float> max_abs{};  // M_c of each input channel, finite, >= 0
  std::span<const double> cost{};    // of one more copy of each channel, > 0; empty: 1 each
  double budget = 0.0;               // in the unit of the costs, >= 0
};

struct MaxClipSplit {
  std::vector<int> copies{};   // m_c, at least 1: no more than the maximum needs
  float max_abs_after = 0.0F;  // max_c M_c / m_c
  double cost = 0.0;           // sum of (m_c - 1) * cost_c, at most the budget
};

// The copies with the least max_c M_c / m_c (in float arithmetic) whose cost is within the budget.
// Binary search over all floats: 31 passes over the channels. Throws Error(internal) for costs and
// budgets that are not as stated, or a budget for more than 2^30 copies of one channel.
[[nodiscard]] MaxClipSplit least_max(const MaxClipProblem& problem);

}  // namespace ocs
