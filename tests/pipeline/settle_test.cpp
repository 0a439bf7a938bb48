#include "ocs/pipeline/settle.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/parallel.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Values from -1 to `highest` in one tensor, 0 to 3 in another.
CalibrationStats stats_up_to(float highest) {
  CalibrationStats stats;
  stats.tensors["a"].histogram.add(std::vector<float>{-1.0F, 0.5F, highest});
  stats.tensors["b"].histogram.add(std::vector<float>{0.0F, 3.0F});
  return stats;
}

Recipe settling_at(double share) { return {.act_clip = MaxClip{}, .calib_settle = share}; }

TEST(SettledRanges, NeedARoundToCompareWith) {
  SettledRanges settled(settling_at(0.5));
  EXPECT_FALSE(settled(stats_up_to(1.0F)));
  EXPECT_TRUE(settled(stats_up_to(1.0F)));
}

TEST(SettledRanges, AreThoseThatMovedByNoMoreThanTheShare) {
  // The end at 3 moves to 3.2: 0.2 of a length of 4.2.
  for (const auto& [share, expected] : {std::pair(0.04, false), std::pair(0.05, true)}) {
    SettledRanges settled(settling_at(share));
    (void)settled(stats_up_to(3.0F));
    EXPECT_EQ(settled(stats_up_to(3.2F)), expected) << share;
  }
}

TEST(SettledRanges, CompareWithTheRoundBeforeAndNoEarlierOne) {
  SettledRanges settled(settling_at(0.05));
  (void)settled(stats_up_to(3.0F));
  EXPECT_TRUE(settled(stats_up_to(3.2F)));
  EXPECT_TRUE(settled(stats_up_to(3.4F)));
  EXPECT_FALSE(settled(stats_up_to(5.0F)));
}

constexpr auto network = R"(
  input x float[1, 3, 8, 8];
  init w float[4, 3, 3, 3] random 1 * 0.3;
  c = Conv(x, w);
  r = Relu(c);
  output r;
)";

// Samples that all have the same values but for sample `odd`, whose are larger.
Samples samples_with_odd(std::size_t odd) {
  return {.count = 1000,
          .load =
              [odd](std::size_t i) {
                std::vector<float> values(std::size_t{3} * 8 * 8);
                std::iota(values.begin(), values.end(), -90.0F);
                for (float& value : values) value *= i == odd ? 0.1F : 0.01F;
                return Sample{.name = "s",
                              .inputs = {{"x", {.shape = {1, 3, 8, 8}, .values = values}}}};
              },
          .source = "made"};
}

Quantized quantized(const Samples& samples, double settle) {
  Recipe recipe{.act_clip = MaxClip{}, .calib_settle = settle, .measure_count = 2};
  return quantize(text_model(network), &samples, recipe, onnx_runtime(), {});
}

TEST(CalibSettle, EndsCalibrationAndSaysSo) {
  for (const std::size_t threads : {1UL, 3UL}) {
    const ThreadLimit limit(threads);
    // Round 2 moves the ranges, round 3 does not.
    const Quantized found = quantized(samples_with_odd(100), 0.01);
    EXPECT_EQ(found.report.calibration_samples, 192);
    EXPECT_THAT(found.report.notes,
                testing::Contains(testing::Field(
                    &Note::text,
                    "calibration ended after 192 samples: over the last 64 no range of an "
                    "activation moved by more than 0.01 of its length")));
  }
}

TEST(CalibSettle, IsOffUnlessAskedFor) {
  EXPECT_EQ(quantized(samples_with_odd(100), 0.0).report.calibration_samples, 1000);
}

}  // namespace
}  // namespace ocs
