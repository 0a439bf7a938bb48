#include "ocs/pipeline/weigh_layers.h"

#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Two branches of the same weights; of the second a thousandth is left in the sum. Each reads one channel that is far above the others.
constexpr auto branches = R"(
  input x float[1, 8, 4, 4];
  init w float[8, 8, 1, 1] random 1 * 0.3;
  init k float[1, 8, 1, 1] {20, 1, 1, 1, 1, 1, 1, 1};
  init small float[1] {0.001};
  stem: t = Conv(x, w);
  relu: s = Relu(t);
  outlier: u = Mul(s, k);
  quiet: b = Conv(u, w);
  loud: a = Conv(u, w);
  scaled: c = Mul(b, small);
  sum: y = Add(a, c);
  output y;
)";

Samples some_samples() { return random_samples("x", {1, 8, 4, 4}, 4); }

TEST(WeighLayers, GivesWhatALayerDoesToTheOutputs) {
  const Model model = text_model(branches);
  const Recipe recipe{.weight_bits = 4};
  const LayerGains gains = weigh_layers(model, recipe, some_samples(), onnx_runtime(), {});
  ASSERT_EQ(gains.size(), 3U);
  // y is the result of `loud` but for a thousandth; errors are relative to energies.
  EXPECT_NEAR(gains.at({.node = "loud"}), 1.0, 0.01);
  EXPECT_NEAR(gains.at({.node = "quiet"}), 1e-6, 1e-8);
}

int copies_of(const Plan& plan, const std::string& node) {
  int sum = 0;
  for (const LayerPlan& layer : plan.layers)
    if (layer.node == node)
      for (const int count : layer.copies) sum += count - 1;
  return sum;
}

TEST(WeighLayers, SpendsTheBudgetWhereTheOutputsGain) {
  Recipe recipe{.weight_bits = 3, .mac_budget = 0.05, .fill_multiples = false};
  recipe.overrides = {{.pattern = "stem", .key = "weight_bits", .value = "8"}};
  recipe.measure_count = 2;
  const Samples samples = some_samples();
  const auto spend = [&](std::size_t budget_samples) {
    recipe.budget_samples = budget_samples;
    return plan_network(text_model(branches), &samples, recipe, onnx_runtime(), {}).plan;
  };
  const Plan alike = spend(0);
  EXPECT_EQ(copies_of(alike, "quiet"), 1);  // ties go to the earlier layer; 24 channels, .05
  EXPECT_EQ(copies_of(alike, "loud"), 0);
  const Plan weighed = spend(2);
  EXPECT_EQ(copies_of(weighed, "loud"), 1);
  EXPECT_EQ(copies_of(weighed, "quiet"), 0);
}

}  // namespace
}  // namespace ocs
