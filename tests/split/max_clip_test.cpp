#include "ocs/split/max_clip.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/random.h"
#include "ocs/split/select.h"

namespace ocs {
namespace {

using testing::ElementsAre;

double cost_of(const MaxClipProblem& problem, std::size_t c) {
  return problem.cost.empty() ? 1.0 : problem.cost[c];
}

// The definition: the smallest of all M_c / k whose copies are within the budget.
float least_max_by_hand(const MaxClipProblem& problem) {
  float best = std::ranges::max(problem.max_abs);
  for (const float numerator : problem.max_abs) {
    for (int k = 1; k <= 40; ++k) {
      const float limit = numerator / static_cast<float>(k);
      double cost = 0.0;
      for (std::size_t c = 0; c < problem.max_abs.size(); ++c) {
        int copies = 1;
        while (problem.max_abs[c] / static_cast<float>(copies) > limit) ++copies;
        cost += (copies - 1) * cost_of(problem, c);
      }
      if (limit > 0.0F && cost <= problem.budget) best = std::min(best, limit);
    }
  }
  return best;
}

TEST(LeastMax, TakesThreeThirdsBeforeTwoHalvesAndAQuarter) {
  const std::vector<float> max_abs{9, 4, 1};
  const MaxClipSplit split = least_max({.max_abs = max_abs, .budget = 2});
  EXPECT_THAT(split.copies, ElementsAre(3, 1, 1));
  EXPECT_EQ(split.max_abs_after, 4.0F);
  EXPECT_EQ(split.cost, 2.0);
}

TEST(LeastMax, BuysNothingThatDoesNotLowerTheMaximum) {
  const std::vector<float> max_abs{8, 8, 1};
  const MaxClipSplit split = least_max({.max_abs = max_abs, .budget = 1});
  EXPECT_THAT(split.copies, ElementsAre(1, 1, 1));
  EXPECT_EQ(split.max_abs_after, 8.0F);
  EXPECT_EQ(split.cost, 0.0);
}

TEST(LeastMax, WeighsTheCostOfACopy) {
  const std::vector<float> max_abs{8, 6};
  const std::vector<double> cost{3.0, 1.0};
  EXPECT_EQ(least_max({.max_abs = max_abs, .cost = cost, .budget = 2}).max_abs_after, 8.0F);
  EXPECT_EQ(least_max({.max_abs = max_abs, .cost = cost, .budget = 4}).max_abs_after, 4.0F);
}

TEST(LeastMax, AcceptsZerosAndNothing) {
  const std::vector<float> zeros(3, 0.0F);
  EXPECT_THAT(least_max({.max_abs = zeros, .budget = 5}).copies, ElementsAre(1, 1, 1));
  EXPECT_THAT(least_max({.budget = 5}).copies, ElementsAre());
}

TEST(LeastMax, RefusesWhatIsNoBudget) {
  const std::vector<float> max_abs{1, 2};
  const std::vector<double> free{0.0, 1.0};
  EXPECT_THROW((void)least_max({.max_abs = max_abs, .budget = -1}), Error);
  EXPECT_THROW((void)least_max({.max_abs = max_abs, .cost = free, .budget = 1}), Error);
  EXPECT_THROW((void)least_max({.max_abs = max_abs, .budget = HUGE_VAL}), Error);
}

TEST(LeastMax, IsTheBestOfAllCandidates) {
  Random random(21);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t channels = 1 + random.below(6);
    std::vector<float> max_abs;
    std::vector<double> cost;
    for (std::size_t c = 0; c < channels; ++c) {
      // Small integers make ties and exact quotients, the others neither.
      const double size = trial % 2 == 0 ? 1.0 + static_cast<double>(random.below(9))
                                         : std::exp(2.0 * random.normal());
      max_abs.push_back(static_cast<float>(size));
      cost.push_back(1.0 + static_cast<double>(random.below(4)));
    }
    const MaxClipProblem problem{
        .max_abs = max_abs, .cost = cost, .budget = static_cast<double>(random.below(20))};
    const MaxClipSplit split = least_max(problem);
    ASSERT_EQ(split.max_abs_after, least_max_by_hand(problem));
    ASSERT_LE(split.cost, problem.budget);
  }
}

TEST(LeastMax, IsWhatSplittingTheLargestReachesAtUnitCost) {
  Random random(22);
  const std::vector<float> data = random.normals(40);
  const ChannelMatrix weight{
      .data = data, .outputs = 2, .inputs = 20, .output_stride = 20, .input_stride = 1};
  const std::vector<float> max_abs = column_max_abs(weight);
  for (int splits = 0; splits <= 100; ++splits) {
    const Split greedy = select_largest(weight, splits, SplitParts::equal);
    const MaxClipSplit exact = least_max({.max_abs = max_abs, .budget = double(splits)});
    ASSERT_EQ(greedy.max_abs_after, exact.max_abs_after) << splits;
  }
}

}  // namespace
}  // namespace ocs
