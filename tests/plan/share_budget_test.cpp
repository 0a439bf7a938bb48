#include "ocs/plan/share_budget.h"

#include <gtest/gtest.h>

#include "ocs/plan/find_layers.h"
#include "ocs/plan/weight_problem.h"
#include "support/text_model.h"

namespace ocs {
namespace {

int added(const std::map<LayerId, std::vector<int>>& copies, const std::string& node) {
  const auto found = copies.find({.node = node});
  int sum = 0;
  if (found != copies.end())
    for (const int count : found->second) sum += count - 1;
  return sum;
}

// Two layers of the same weights, each with one channel far above the others, and money for one, both or none.
TEST(ShareBudget, BuysTheChannelsFarAboveTheOthers) {
  const Model model = text_model(
      "input x float[1, 4, 4, 4]; "
      "init w float[4, 4, 1, 1] {0.3, -0.9, 7.1, 0.5, -0.2, 0.8, 6.5, -0.7, 0.7, 0.2, -7.9, -0.4, "
      "0.9, 0.6, -5.5, 0.1}; "
      "c0: a = Conv(x, w); r: b = Relu(a); c1: y = Conv(b, w); output y;");
  Recipe recipe{.weight_bits = 4,
                .weight_granularity = Granularity::tensor,
                .weight_clip = MseClip{},
                .mac_budget = 0.125,
                .split_first = true,
                .fill_multiples = false};
  recipe.act_bits.reset();
  const Graph graph(model);
  const FoundLayers found = find_layers(graph, recipe);
  std::vector<WeightProblem> problems;
  for (const Layer& layer : found.layers)
    problems.push_back(weight_problem(graph, layer, nullptr, {}, recipe, {}));
  const CopyPrices prices = mac_prices(problems);
  const auto one = share_budget(problems, prices, recipe.mac_budget);
  EXPECT_EQ(added(one, "c0"), 1);  // ties go to the earlier layer
  EXPECT_EQ(added(one, "c1"), 0);
  const auto two = share_budget(problems, prices, 2.0 * recipe.mac_budget);
  EXPECT_EQ(added(two, "c0"), 1);
  EXPECT_EQ(added(two, "c1"), 1);
  const LayerGains gains{{{.node = "c0"}, 0.1}};
  EXPECT_EQ(added(share_budget(problems, prices, recipe.mac_budget, gains), "c1"), 1);
  EXPECT_TRUE(share_budget(problems, prices, 0.5 * recipe.mac_budget).empty());
}

}  // namespace
}  // namespace ocs
