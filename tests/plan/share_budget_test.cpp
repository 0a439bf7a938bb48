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

// Two layers of the same weights, each with one channel far above the others, and money for half.
TEST(ShareBudget, GoesWhereTheErrorCountsMost) {
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
  const auto shared = [&](const std::map<LayerId, double>& weights) {
    return share_budget(problems, recipe.mac_budget, weights);
  };
  const auto alike = shared({});
  EXPECT_EQ(alike, shared({{{.node = "c0"}, 3.0}, {{.node = "c1"}, 3.0}}));
  EXPECT_GT(added(alike, "c0"), 0);  // ties go to the earlier layer
  const auto second = shared({{{.node = "c1"}, 100.0}});
  EXPECT_EQ(added(second, "c0"), 0);
  EXPECT_GT(added(second, "c1"), 0);
}

}  // namespace
}  // namespace ocs
