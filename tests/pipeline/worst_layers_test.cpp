#include "ocs/pipeline/worst_layers.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Layers one behind the other, named "conv0" and so on.
std::string chain(int layers) {
  std::string text = "input v0 float[1, 8, 6, 6];\n";
  for (int i = 0; i < layers; ++i)
    text += fmt::format(
        "init w{0} float[8, 8, 1, 1] random {0} * 0.5; conv{0}: c{0} = Conv(v{0}, w{0}); "
        "act{0}: v{1} = LeakyRelu(c{0});\n",
        i, i + 1);
  return text + fmt::format("output v{} float[1, 8, 6, 6];\n", layers);
}

class WorstLayersOf : public testing::Test {
 protected:
  // Weights of 8 bits, of `coarse` only 2.
  void plan(int layers, const std::set<std::string>& coarse) {
    recipe.measure_count = 3;
    for (const std::string& node : coarse)
      recipe.overrides.push_back({.pattern = node, .key = "weight_bits", .value = "2"});
    planned = plan_network(text_model(chain(layers)), &samples, recipe, engine, {});
    ASSERT_EQ(planned.plan.layers.size(), static_cast<std::size_t>(layers));
    measured = measure_layers(planned.prepared.model, planned.plan, samples, recipe.measure_count,
                              engine, {});
  }
  [[nodiscard]] SensitivityProblem problem() const {
    return {.model = &planned.prepared.model,
            .recipe = &recipe,
            .measured = &measured,
            .samples = &samples,
            .count = recipe.measure_count,
            .engine = &engine};
  }

  const Engine engine = onnx_runtime();
  const Samples samples = random_samples("v0", {1, 8, 6, 6}, 6);
  Recipe recipe{};
  PlannedNetwork planned{};
  FloatMeasurement measured{};
};

TEST_F(WorstLayersOf, AreFoundWithoutTryingAll) {
  plan(32, {"conv22"});
  const SensitivityProblem all = problem();
  WorstLayers worst(all, planned.plan);
  const LayerGroup group = worst.next();
  ASSERT_EQ(group.layers.size(), 1U);
  EXPECT_EQ(group.layers[0].node, "conv22");
  EXPECT_EQ(worst.measurements(), 11U);  // all, and five halvings
}

TEST_F(WorstLayersOf, TellOfEachWhatRankingAllTells) {
  plan(5, {"conv1"});
  const SensitivityProblem all = problem();
  WorstLayers worst(all, planned.plan);
  const std::vector<LayerSensitivity> ranked = rank_layers(all, planned.plan);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    const LayerGroup group = worst.next();
    ASSERT_EQ(group.layers.size(), 1U);
    seen.insert(group.layers[0].node);
    const auto row = std::ranges::find(ranked, group.layers[0].id(), &LayerSensitivity::layer);
    ASSERT_NE(row, ranked.end());
    EXPECT_EQ(group.change.sqnr_db, row->change.sqnr_db) << group.layers[0].node;
    if (i == 0) {
      EXPECT_EQ(group.layers[0].id(), ranked.front().layer);
    }
  }
  EXPECT_EQ(seen.size(), ranked.size());
  EXPECT_LE(worst.measurements(), 2 * ranked.size());
  EXPECT_THROW((void)worst.next(), Error);
}

TEST_F(WorstLayersOf, ComeTogetherWhereNoneNeedsToBeKnown) {
  plan(16, {});
  const SensitivityProblem all = problem();
  WorstLayers worst(all, planned.plan);
  std::size_t seen = 0;
  while (seen < 16) {
    const LayerGroup group = worst.next(4);
    EXPECT_LE(group.layers.size(), 4U);
    seen += group.layers.size();
  }
  EXPECT_LE(worst.measurements(), 7U);
}

}  // namespace
}  // namespace ocs
