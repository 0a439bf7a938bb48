#include "ocs/plan/plan_weights.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "ocs/plan/make_plan.h"
#include "ocs/plan/split_form.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Weights-only plan of a single Conv [outputs, inputs, 1, 1] with seeded normal weights.
Plan plan_conv(const std::string& weight, Recipe recipe, const std::string& attributes = "") {
  recipe.act_bits.reset();
  const Model model =
      text_model("input x float[1, 8, 4, 4]; init w float" + weight +
                 "; c0: a = Relu(x); c: y = Conv(a, w) {" + attributes + "}; output y;");
  return make_plan(model, nullptr, recipe, {});
}

TEST(PlanWeights, RoundsEachWeightWithinHalfAStep) {
  const Plan plan =
      plan_conv("[6, 8, 1, 1] random 3", Recipe{.weight_bits = 4, .bias_correction = false});
  const LayerPlan& layer = plan.layers.at(0);
  EXPECT_EQ(layer.params.scale.size(), 6U);
  EXPECT_EQ(layer.params.axis, 0);
  for (const std::int16_t q : layer.stored) EXPECT_LE(std::abs(q), 7);
}

TEST(PlanWeights, FillsUpToTheEnginesMultipleOnlyWhereAsked) {
  Recipe recipe{.weight_bits = 8,
                .weight_granularity = Granularity::tensor,
                .expand_ratio = 0.05,
                .split_first = true};
  const auto added = [](const Plan& plan) {
    int sum = 0;
    for (const int copies : plan.layers.at(0).copies) sum += copies - 1;
    return sum;
  };
  EXPECT_EQ(added(plan_conv("[6, 8, 1, 1] random 3", recipe)),
            8);  // float activations: up to 16 channels
  recipe.fill_multiples = false;
  EXPECT_EQ(added(plan_conv("[6, 8, 1, 1] random 3", recipe)), 1);
}

// Rounding with the data comes after the forms were chosen, and may need another container.
TEST(SplitForms, FollowTheIntegersWhenChosenAgain) {
  const Model model = text_model(
      "input x float[1, 8, 4, 4]; init w float[6, 8, 1, 1] random 3; "
      "c0: a = Relu(x); c: y = Conv(a, w); output y;");
  Recipe recipe{.weight_bits = 4, .expand_ratio = 0.2, .split_first = true};
  recipe.act_bits.reset();
  Plan plan = make_plan(model, nullptr, recipe, {});
  LayerPlan& layer = plan.layers.at(0);
  ASSERT_EQ(layer.form, SplitForm::virtual_);
  const std::vector<std::int16_t> narrow = layer.stored;
  layer.stored[0] = 128;
  choose_split_forms(Graph(model), recipe, plan);
  EXPECT_NE(layer.form, SplitForm::virtual_);
  EXPECT_GT(layer.inputs.size(), 8U);
  const LayerPlan once = layer;
  choose_split_forms(Graph(model), recipe, plan);
  EXPECT_EQ(layer.inputs, once.inputs);
  EXPECT_EQ(layer.remark, once.remark);
  layer.stored = narrow;
  choose_split_forms(Graph(model), recipe, plan);
  EXPECT_EQ(layer.form, SplitForm::virtual_);
  EXPECT_TRUE(layer.inputs.empty());
}

// Two Convs of 8 channels; one channel of the second is eight times as large as the others.
TEST(PlanWeights, SpendsABudgetWhereItPays) {
  const Model model = text_model(
      "input x float[1, 8, 4, 4]; init w float[8, 8, 1, 1] random 3; init v float[2, 8, 1, 1] "
      "{0.3, -0.9, 7.1, 0.5, -0.2, 0.8, 0.45, -0.65, 0.7, 0.15, -7.9, -0.35, 0.95, 0.6, -0.5, "
      "0.1}; "
      "c0: a = Relu(x); c1: b = Conv(a, w); c2: y = Conv(b, v); output y;");
  Recipe recipe{.weight_bits = 4,
                .weight_granularity = Granularity::tensor,
                .weight_clip = MseClip{},
                .mac_budget = 0.25,
                .split_first = true,
                .fill_multiples = false};
  recipe.act_bits.reset();
  const std::vector<LayerPlan> layers = make_plan(model, nullptr, recipe, {}).layers;
  const std::vector<int>& copies = layers.at(1).copies;
  ASSERT_EQ(copies.size(), 8U);
  EXPECT_GE(copies[2], 4);
  double spent = 0.0;  // in weights: 80 are there
  for (const LayerPlan& layer : layers)
    for (const int count : layer.copies) spent += (count - 1) * (layer.node == "c1" ? 8.0 : 2.0);
  EXPECT_LE(spent, 0.25 * 80);
  EXPECT_GT(spent, 0.25 * 80 - 2.0);
  recipe.mac_budget = 0.02;  // less than a copy
  for (const LayerPlan& layer : make_plan(model, nullptr, recipe, {}).layers)
    EXPECT_TRUE(layer.copies.empty());
}

TEST(PlanWeights, SaysWhyADepthwiseLayerIsNotSplit) {
  const Plan plan = plan_conv("[8, 1, 3, 3] random 3", Recipe{.expand_ratio = 0.05}, "group = 8");
  EXPECT_TRUE(plan.layers.at(0).copies.empty());
  EXPECT_THAT(plan.layers.at(0).remark, testing::HasSubstr("depthwise"));
}

TEST(PlanWeights, ExtendsTheRangeOfSplitChannelsByTheirCopies) {
  const Recipe recipe{.weight_bits = 4,
                      .weight_granularity = Granularity::tensor,
                      .expand_ratio = 0.25,
                      .split_first = true,
                      .fill_multiples = false,
                      .bias_correction = false};
  const Plan plan = plan_conv("[2, 4, 1, 1] {0.7, 0.1, -0.2, 3.5,  0.5, -0.6, 0.3, -7}", recipe);
  const LayerPlan& layer = plan.layers.at(0);
  EXPECT_THAT(layer.copies, testing::ElementsAre(1, 1, 1, 2));
  EXPECT_FLOAT_EQ(layer.params.scale.at(0), 3.5F / 7.0F);
  EXPECT_EQ(layer.stored.at(7), -14);  // two copies of -7: no clipping
}

TEST(PlanWeights, RaisesTheScaleOfADeadRowUntilItsBiasFits) {
  const Model model = text_model(R"(
    input x float[1, 2, 4, 4];
    init w float[2, 2, 1, 1] {1e-30, 1e-30, 1, 1};
    init b float[2] {3, 0.5};
    c: y = Conv(x, w, b);
    output y;
  )");
  CalibrationStats stats;
  for (const char* name : {"x", "y"})
    stats.tensors[name].histogram.add(std::vector<float>{-1.0F, 1.0F});
  const Plan plan =
      make_plan(model, &stats, Recipe{.bias_correction = false, .target = "ort-cpu-vnni"}, {});
  const LayerPlan& layer = plan.layers.at(0);
  const double bias_level = 3.0 / (static_cast<double>(layer.params.scale[0]) *
                                   static_cast<double>(plan.activations.at("x").params.scale[0]));
  EXPECT_LE(bias_level, 1073741824.0);
  EXPECT_EQ(layer.stored[0], 0);
  EXPECT_EQ(layer.stored[2], 127);
}

TEST(PlanWeights, AbsorbsBatchNormalizationExactlyAfterRounding) {
  const Model model = text_model(R"(
    input x float[1, 2, 4, 4];
    init w float[3, 2, 1, 1] {2, 1, -3, 0.5, 0, 0};
    init b float[3] {1, 1, 1};
    c: y = Conv(x, w, b);
    output y;
  )");
  Recipe recipe = built_in_recipe("paper");
  recipe.first_float = false;
  recipe.act_bits.reset();
  // Stored before the fold: rows divided by g.
  const std::map<std::string, UnfoldedRows> unfolded{
      {"c",
       {.weight = {.shape = {3, 2, 1, 1}, .values = std::vector<float>{4, 2, 6, -1, 5, 5}},
        .multiplier = {0.5F, -0.5F, 0.0F}}}};
  const LayerPlan layer = make_plan(model, nullptr, recipe, unfolded).layers.at(0);
  EXPECT_THAT(layer.stored, testing::ElementsAre(85, 42, -127, 21, 0, 0));
  EXPECT_FLOAT_EQ(layer.params.scale[0], 0.5F * 6.0F / 127.0F);
  EXPECT_FLOAT_EQ(layer.params.scale[1], 0.5F * 6.0F / 127.0F);
  EXPECT_GT(layer.params.scale[2], 0.0F);
}

}  // namespace
}  // namespace ocs
