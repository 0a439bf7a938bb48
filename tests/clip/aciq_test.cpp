#include "ocs/clip/aciq.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "ocs/clip/clip.h"
#include "support/distributions.h"
#include "support/slow_clip.h"

namespace ocs {
namespace {

TEST(AciqMultiples, AreThoseOfThePublishedCode) {
  constexpr std::array laplace{2.33152939, 3.04528770, 4.00378631, 5.08252088,
                               6.23211675, 7.42700429, 8.65265030};
  constexpr std::array gauss{1.47818312, 1.80489289, 2.19227856, 2.57733584,
                             2.94451183, 3.29076248, 3.61691335};
  for (int bits = 2; bits <= 8; ++bits) {
    const auto i = static_cast<std::size_t>(bits - 2);
    // Their optimizer stopped at seven digits.
    EXPECT_NEAR(aciq_multiples(bits).laplace, laplace[i], 1e-6) << bits;
    EXPECT_NEAR(aciq_multiples(bits).gauss, gauss[i], 1e-6) << bits;
  }
}

TEST(AciqMultiples, ContinueBeyondEightBits) {
  EXPECT_NEAR(aciq_multiples(9).laplace, 9.9003, 5e-5);
  EXPECT_NEAR(aciq_multiples(9).gauss, 3.9249, 5e-5);
  for (int bits = 3; bits <= 17; ++bits) {
    EXPECT_GT(aciq_multiples(bits).laplace, aciq_multiples(bits - 1).laplace);
    EXPECT_GT(aciq_multiples(bits).gauss, aciq_multiples(bits - 1).gauss);
  }
}

// Skewed, so that bins over [min, max] would be others than those over -+max.
TEST(AciqClip, IsTheDefinition) {
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    for (const Distribution distribution : all_distributions) {
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        std::vector<float> values = sample(distribution, 3000, seed);
        for (float& value : values)
          if (value < 0.0F) value *= 0.4F;
        const ClipInput input = clip_input(values, {.bits = bits});
        const double expected = slow_aciq_threshold(input);
        EXPECT_NEAR(threshold(AciqClip{}, input), expected, 1e-5 * expected)
            << bits << " bits, " << name_of(distribution) << ", seed " << seed;
      }
    }
  }
}

double mean_deviation(const std::vector<float>& values) {
  double mean = 0.0;
  for (const float v : values) mean += static_cast<double>(v);
  mean /= static_cast<double>(values.size());
  double sum = 0.0;
  for (const float v : values) sum += std::abs(static_cast<double>(v) - mean);
  return sum / static_cast<double>(values.size());
}

TEST(AciqClip, IsAMultipleOfTheMeanDeviationOfLaplaceValues) {
  const std::vector<float> values = sample(Distribution::laplace, 20000, 1);
  const double expected = aciq_multiples(3).laplace * mean_deviation(values);
  EXPECT_NEAR(threshold(AciqClip{}, clip_input(values, {.bits = 3})), expected, 1e-5);
}

TEST(AciqClip, IsAMultipleOfTheDeviationOfNormalValues) {
  const std::vector<float> values = sample(Distribution::normal, 20000, 2);
  const ClipInput input = clip_input(values, {.bits = 6});
  double squares = 0.0;
  for (const float v : values) squares += static_cast<double>(v) * static_cast<double>(v);
  // The mean of 20000 normals, left out here, changes the deviation by its square, about 1e-5.
  const double sigma = std::sqrt(squares / 20000.0);
  EXPECT_NEAR(threshold(AciqClip{.ordinary_deviation = true}, input),
              aciq_multiples(6).gauss * sigma, 1e-3);
}

TEST(AciqClip, EstimatesSigmaFromTheRangeUnlessToldOtherwise) {
  const std::vector<float> values = sample(Distribution::normal, 20000, 2);
  const ClipInput input = clip_input(values, {.bits = 6});
  const double range = static_cast<double>(input.max) - static_cast<double>(input.min);
  const double sigma = range * 0.175 * (1.0 + std::sqrt(std::numbers::pi * std::log(4.0))) /
                       std::sqrt(2.0 * std::log(20000.0));
  EXPECT_NEAR(threshold(AciqClip{}, input), aciq_multiples(6).gauss * sigma, 1e-5);
}

// The halves of a symmetric sample, zeros added, have the threshold of the whole on a grid of one
// bit more, but for the mean of the whole (0.01) and which of the two fits errs less.
TEST(AciqClip, TakesUnsignedValuesAsHalfOfASymmetricDistribution) {
  const std::vector<float> whole = sample(Distribution::laplace, 40000, 3);
  const std::vector<float> half = rectified(whole);
  const float a = threshold(AciqClip{}, clip_input(half, {.bits = 4, .is_signed = false}));
  const float b = threshold(AciqClip{}, clip_input(whole, {.bits = 5}));
  EXPECT_NEAR(a / b, 1.0, 0.02);
}

TEST(AciqClip, StaysWithinTheLargestMagnitude) {
  const std::vector<float> values{1, -1, 1, -1};
  EXPECT_EQ(threshold(AciqClip{}, clip_input(values, {.bits = 8})), 1.0F);
  const std::vector<float> one{-2};
  EXPECT_EQ(threshold(AciqClip{}, clip_input(one, {.bits = 8})), 2.0F);
}

}  // namespace
}  // namespace ocs
