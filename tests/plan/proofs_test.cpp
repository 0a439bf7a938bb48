#include "ocs/plan/proofs.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "ocs/plan/make_plan.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;

constexpr double int32_limit = 2147483648.0;  // 2^31

// A matrix of `rows` rows, one value after the other.
ChannelMatrix matrix(std::span<const float> values, std::int64_t rows) {
  const auto inputs = static_cast<std::int64_t>(values.size()) / rows;
  return {.data = values,
          .outputs = rows,
          .inputs = inputs,
          .group_stride = rows * inputs,
          .output_stride = inputs,
          .input_stride = 1};
}

ActivationPlan levels(float scale, std::int32_t zero_point, std::int32_t low, std::int32_t high) {
  return {.params = {.grid = {.bits = 8, .is_signed = false},
                     .scale = {scale},
                     .zero_point = {zero_point}},
          .level_low = low,
          .level_high = high};
}

// The largest magnitude of a partial sum over all orders and inputs, by trying them.
double largest_partial_sum(std::span<const std::int16_t> row, const ActivationPlan& data,
                           double bias) {
  double largest = std::fabs(bias);
  const auto size = static_cast<int>(row.size());
  // Which products are in the sum, and at which end of the levels each input lies.
  for (int in = 0; in < 1 << size; ++in)
    for (int high = 0; high < 1 << size; ++high)
      for (const double start : {0.0, bias}) {
        double sum = start;
        for (int k = 0; k < size; ++k) {
          if ((in >> k & 1) == 0) continue;
          const std::int32_t level = (high >> k & 1) != 0 ? data.level_high : data.level_low;
          sum += static_cast<double>(row[static_cast<std::size_t>(k)]) *
                 (level - data.params.zero_point[0]);
        }
        largest = std::max(largest, std::fabs(sum));
      }
  return largest;
}

TEST(Proofs, BoundEveryPartialSum) {
  Random random(3);
  for (int trial = 0; trial < 50; ++trial) {
    const std::vector<float> values = random.normals(4);
    std::vector<std::int16_t> stored;
    for (const float value : values)
      stored.push_back(static_cast<std::int16_t>(std::nearbyint(40.0F * value)));
    const std::vector<float> bias{100.0F * random.normals(1)[0]};
    const std::vector<float> scale{0.5F};
    const std::int32_t zero_point = trial * 5;
    const ActivationPlan data = levels(0.25F, zero_point, 0, 255);
    const RowProof proof = prove_rows({.weight = matrix(values, 1),
                                       .stored = stored,
                                       .scales = scale,
                                       .bias = bias,
                                       .data = &data})[0];
    const double level = bias_level(bias[0], 0.25F, 0.5F);
    EXPECT_EQ(proof.bias, std::fabs(level));
    const double largest = largest_partial_sum(stored, data, level);
    EXPECT_GE(proof.sum, largest);
    // With levels on one side of the zero point, and signs as in the worst input, it is reached.
    const ActivationPlan one_sided = levels(0.25F, 0, 0, 255);
    std::vector<std::int16_t> positive;
    for (const std::int16_t q : stored) positive.push_back(static_cast<std::int16_t>(std::abs(q)));
    const std::vector<float> positive_bias{std::fabs(bias[0])};
    EXPECT_EQ(prove_rows({.weight = matrix(values, 1),
                          .stored = positive,
                          .scales = scale,
                          .bias = positive_bias,
                          .data = &one_sided})[0]
                  .sum,
              largest_partial_sum(positive, one_sided, std::fabs(level)));
  }
}

TEST(Proofs, HoldUpToTheLastInteger) {
  EXPECT_TRUE((RowProof{.bias = 1.0, .sum = int32_limit - 1.0}.holds()));
  EXPECT_FALSE((RowProof{.bias = 1.0, .sum = int32_limit}.holds()));
  EXPECT_FALSE((RowProof{.bias = int32_limit, .sum = 0.0}.holds()));
  EXPECT_FALSE((RowProof{.has_normal_scale = false}.holds()));
}

TEST(Proofs, KnowDeadRowsFromRowsOfZeros) {
  const std::vector<float> values{1.0F, 1.0F, 1e-4F, 1e-4F, 0.0F, 0.0F};
  const std::vector<std::int16_t> stored{127, 127, 0, 0, 0, 0};
  const std::vector<float> scale{1.0F / 127.0F};
  const ActivationPlan data = levels(1.0F, 0, 0, 255);
  std::vector<bool> dead;
  for (const RowProof& row :
       prove_rows({.weight = matrix(values, 3), .stored = stored, .scales = scale, .data = &data}))
    dead.push_back(row.is_dead);
  EXPECT_THAT(dead, ElementsAre(false, true, false));
}

TEST(Proofs, MeasureWhatTheBiasLoses) {
  const std::vector<float> values{1.0F};
  const std::vector<std::int16_t> stored{1};
  const std::vector<float> scale{1.0F};
  const std::vector<float> bias{3.3F};
  const ActivationPlan data = levels(0.5F, 0, 0, 255);
  const RowProof row = prove_rows({.weight = matrix(values, 1),
                                   .stored = stored,
                                   .scales = scale,
                                   .bias = bias,
                                   .data = &data})[0];
  EXPECT_EQ(row.bias, 7.0);
  EXPECT_NEAR(row.bias_error, 0.2, 1e-6);
}

// A Gemm of `inputs` inputs that see [0, 1], planned with 8 bits.
struct Planned {
  Model model{};
  Plan plan{};
};
Planned plan_gemm(const std::string& weight, const std::string& bias, std::int64_t inputs,
                  Recipe recipe = {}) {
  recipe.bias_correction = false;
  recipe.target = "ort-cpu-vnni";
  Planned planned{.model = text_model("input x float[1, " + std::to_string(inputs) +
                                      "]; init w float" + weight + "; init b float" + bias +
                                      "; g: y = Gemm(x, w, b) {transB = 1}; output y;")};
  CalibrationStats stats;
  for (const char* name : {"x", "y"})
    stats.tensors[name].histogram.add(std::vector<float>{0.0F, 1.0F});
  planned.plan = make_plan(planned.model, &stats, recipe, {});
  return planned;
}

TEST(Proofs, RaiseTheScaleUntilTheSumsFit) {
  // 127 * 255 * 70000 is 2.27e9.
  const Planned planned = plan_gemm("[2, 70000] ones", "[2] zeros", 70000);
  const LayerPlan& layer = planned.plan.layers.at(0);
  EXPECT_EQ(layer.raised.for_sum, 2);
  EXPECT_EQ(layer.raised.for_bias, 0);
  EXPECT_EQ(layer.stored.at(0), 120);  // 120.3 levels are as many as fit
  const LayerProof proof = prove(planned.model, planned.plan).at(0);
  EXPECT_TRUE(proof.holds);
  EXPECT_LT(proof.largest_sum, int32_limit);
  EXPECT_EQ(proof.largest_sum, 120.0 * 255.0 * 70000.0);
}

TEST(Proofs, LeaveSumsAloneThatFit) {
  const Planned planned = plan_gemm("[2, 60000] ones", "[2] zeros", 60000);
  EXPECT_EQ(planned.plan.layers.at(0).raised, RaisedRows{});
  EXPECT_EQ(planned.plan.layers.at(0).stored.at(0), 127);
}

TEST(Proofs, RaiseTheScaleUntilTheBiasFits) {
  const Planned planned = plan_gemm("[3, 2] {1e-30, 1e-30, 1, 1, 1, 0.5}", "[3] {3, 0.5, 0}", 2);
  const LayerPlan& layer = planned.plan.layers.at(0);
  EXPECT_EQ(layer.raised.for_bias, 1);
  EXPECT_EQ(layer.raised.for_sum, 0);
  const LayerProof proof = prove(planned.model, planned.plan).at(0);
  EXPECT_TRUE(proof.holds);
  EXPECT_EQ(proof.dead_rows, 1);
  EXPECT_LT(proof.largest_bias, int32_limit);
}

TEST(Proofs, RaiseScalesWhoseProductIsDenormal) {
  const Planned planned = plan_gemm("[2, 2] {1e-35, 2e-35, 1, 1}", "[2] zeros", 2);
  const LayerPlan& layer = planned.plan.layers.at(0);
  EXPECT_EQ(layer.raised.for_scale, 1);
  EXPECT_TRUE(prove(planned.model, planned.plan).at(0).holds);
  EXPECT_GE(bias_scale(planned.plan.activations.at("x").params.scale[0], layer.params.scale[0]),
            std::numeric_limits<float>::min());
  EXPECT_GT(layer.stored.at(1), 0);
}

TEST(Proofs, MakeTheBiasOfARowOfZerosExact) {
  for (const Granularity granularity : {Granularity::channel, Granularity::tensor}) {
    const bool per_row = granularity == Granularity::channel;
    const Planned planned = plan_gemm(per_row ? "[2, 2] {0, 0, 1, 1}" : "[2, 2] zeros",
                                      "[2] {0.3, 0.5}", 2, {.weight_granularity = granularity});
    const LayerPlan& layer = planned.plan.layers.at(0);
    ASSERT_EQ(layer.params.scale.size(), per_row ? 2U : 1U);
    const float data_scale = planned.plan.activations.at("x").params.scale[0];
    const float scale = layer.params.scale[0];
    const double written =
        bias_level(0.3F, data_scale, scale) * static_cast<double>(bias_scale(data_scale, scale));
    EXPECT_NEAR(written, static_cast<double>(0.3F), 1e-8);
    EXPECT_EQ(layer.raised, RaisedRows{});
    EXPECT_EQ(prove(planned.model, planned.plan).at(0).dead_rows, 0);
  }
}

TEST(Proofs, AreOfLayersWithIntegerSumsOnly) {
  Recipe recipe;
  recipe.act_bits = 16;
  const Planned wide = plan_gemm("[2, 70000] ones", "[2] zeros", 70000, recipe);
  EXPECT_TRUE(prove(wide.model, wide.plan).empty());
  EXPECT_EQ(wide.plan.layers.at(0).raised, RaisedRows{});
  recipe.act_bits.reset();
  const Planned weights_only = plan_gemm("[2, 2] ones", "[2] zeros", 2, recipe);
  EXPECT_TRUE(prove(weights_only.model, weights_only.plan).empty());
}

}  // namespace
}  // namespace ocs
