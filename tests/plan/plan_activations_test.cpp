#include "ocs/plan/plan_activations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/text_model.h"

namespace ocs {
namespace {

TensorStats stats_of_values(const std::vector<float>& values) {
  TensorStats stats;
  stats.histogram.add(values);
  return stats;
}

TEST(PlanActivation, PutsZeroPointZeroWhereNothingIsNegative) {
  const ActivationPlan plan =
      plan_activation(stats_of_values({0.0F, 1.0F, 5.1F}), MaxClip{}, 8, ActRange::asymmetric, {});
  EXPECT_EQ(plan.params.zero_point[0], 0);
  EXPECT_FLOAT_EQ(plan.params.scale[0], 5.1F / 255.0F);
  EXPECT_EQ(plan.level_high, 255);
}

TEST(PlanActivation, HoldsZeroExactlyOnAnAsymmetricGrid) {
  const ActivationPlan plan =
      plan_activation(stats_of_values({-1.0F, 3.0F}), MaxClip{}, 8, ActRange::asymmetric, {});
  EXPECT_EQ(plan.params.zero_point[0], 64);
  EXPECT_FLOAT_EQ(plan.params.scale[0], 4.0F / 255.0F);
}

TEST(PlanActivation, IsThePapersGridWhereSymmetric) {
  const ActivationPlan positive =
      plan_activation(stats_of_values({0.0F, 2.0F}), MaxClip{}, 6, ActRange::symmetric, {});
  EXPECT_EQ(positive.params.zero_point[0], 0);
  EXPECT_EQ(positive.level_low, 0);
  EXPECT_EQ(positive.level_high, 31);
  EXPECT_FLOAT_EQ(positive.params.scale[0], 2.0F / 31.0F);
  const ActivationPlan both =
      plan_activation(stats_of_values({-2.0F, 1.0F}), MaxClip{}, 6, ActRange::symmetric, {});
  EXPECT_EQ(both.params.zero_point[0], 128);
  EXPECT_EQ(both.level_low, 128 - 31);
  EXPECT_EQ(both.level_high, 128 + 31);
  EXPECT_FLOAT_EQ(both.params.scale[0], 2.0F / 31.0F);
}

TEST(PlanActivation, StaysInsideTheBoundsOfAnAbsorbedClip) {
  // 6 / 255 rounds up in float: 255 steps of it would be 6.0000005, outside a Clip at 6, and the
  // engine would keep the Clip.
  for (const float bound : {6.0F, 1.0F, 0.3F, 7.7F}) {
    const ActivationPlan plan = plan_activation(stats_of_values({0.0F, bound}), MaxClip{}, 8,
                                                ActRange::asymmetric, {.high = bound});
    EXPECT_LE(plan.params.scale[0] * 255.0F, bound);
    EXPECT_NEAR(plan.params.scale[0] * 255.0F, bound, bound * 1e-6F);
    const ActivationPlan both =
        plan_activation(stats_of_values({-bound, bound / 3.0F}), MaxClip{}, 8, ActRange::asymmetric,
                        {.low = -bound, .high = bound / 3.0F});
    EXPECT_LE(both.params.scale[0] * static_cast<float>(255 - both.params.zero_point[0]),
              bound / 3.0F);
    EXPECT_GE(-both.params.scale[0] * static_cast<float>(both.params.zero_point[0]), -bound);
  }
}

TEST(PlanActivation, GivesATensorOfZerosAScale) {
  const ActivationPlan plan =
      plan_activation(stats_of_values({0.0F, 0.0F}), MseClip{}, 8, ActRange::asymmetric, {});
  EXPECT_GT(plan.params.scale[0], 0.0F);
}

TEST(PlanActivation, StoresSixteenBitsInTheirOwnType) {
  const ActivationPlan plan =
      plan_activation(stats_of_values({-1.0F, 1.0F}), MaxClip{}, 16, ActRange::asymmetric, {});
  EXPECT_EQ(plan.params.grid.bits, 16);
  EXPECT_EQ(plan.level_high, 65535);
}

constexpr auto joined = R"(
  input x float[1, 4, 8, 8];
  init w float[4, 4, 1, 1] random 1;
  init w8 float[4, 8, 1, 1] random 2;
  a: a1 = Conv(x, w);
  b: b1 = Conv(x, w);
  join: j = Concat(a1, b1) {axis = 1};
  c: y = Conv(j, w8);
  output y;
)";

std::map<std::string, ActivationPlan> plan_joined(float range_of_b) {
  const Model model = text_model(joined);
  const Graph graph(model);
  const std::vector<Layer> layers = find_all_layers(graph).layers;
  CalibrationStats stats;
  for (const char* name : {"x", "a1", "j", "y"})
    stats.tensors[name] = stats_of_values({-8.0F, 8.0F});
  stats.tensors["b1"] = stats_of_values({-range_of_b, range_of_b});
  return plan_activations(graph, find_regions(graph, layers, ActScope::regions), layers, stats,
                          Recipe{.act_clip = MaxClip{}});
}

TEST(PlanActivations, SharesOneScaleThroughAConcatOfNearRanges) {
  const auto plans = plan_joined(1.0F);
  EXPECT_EQ(plans.at("a1"), plans.at("j"));
  EXPECT_EQ(plans.at("b1"), plans.at("j"));
}

TEST(PlanActivations, KeepsTheScaleOfAConcatInputWhoseRangeIsFarSmaller) {
  const auto plans = plan_joined(0.9F);
  EXPECT_EQ(plans.at("a1"), plans.at("j"));
  EXPECT_FLOAT_EQ(plans.at("b1").params.scale[0], 1.8F / 255.0F);
}

TEST(PlanActivations, NamesATensorThatTheStatisticsLack) {
  EXPECT_THAT([] { (void)stats_of(CalibrationStats{}, "conv1_out"); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("'conv1_out'")));
}

}  // namespace
}  // namespace ocs
