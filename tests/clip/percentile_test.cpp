#include <gtest/gtest.h>

#include "ocs/clip/clip.h"

namespace ocs {
namespace {

float percentile(double percent, const ClipInput& input) {
  return threshold(PercentileClip{.percent = percent}, input);
}

TEST(PercentileClip, KeepsTheAskedShareOfMagnitudes) {
  const std::vector<float> values{-1, 2, -3, 4, 5, -6, 7, 8, -9, 10};
  const ClipInput input = clip_input(values, Grid{});
  EXPECT_EQ(percentile(100, input), 10.0F);
  EXPECT_EQ(percentile(90, input), 9.0F);
  EXPECT_EQ(percentile(91, input), 10.0F);
  EXPECT_EQ(percentile(50, input), 5.0F);
  EXPECT_EQ(percentile(1e-9, input), 1.0F);
}

TEST(PercentileClip, CountsTheBinsOfAHistogram) {
  const std::vector<float> values{-2, 1, 3};
  const std::vector<double> counts{30, 60, 10};
  const ClipInput input{.values = values, .counts = counts, .min = -2, .max = 3};
  EXPECT_EQ(percentile(60, input), 1.0F);
  EXPECT_EQ(percentile(61, input), 2.0F);
  EXPECT_EQ(percentile(90, input), 2.0F);
  EXPECT_EQ(percentile(90.1, input), 3.0F);
}

TEST(PercentileClip, TakesTheSmallestMagnitudeWhereMostAreZero) {
  const std::vector<float> values{0, 0, 0, 0, 0.5F, 2};
  EXPECT_EQ(percentile(50, clip_input(values, Grid{})), 0.5F);
}

}  // namespace
}  // namespace ocs
