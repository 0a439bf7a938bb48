#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "ocs/clip/clip.h"
#include "ocs/clip/step_search.h"
#include "support/distributions.h"
#include "support/slow_clip.h"

namespace ocs {
namespace {

double error_of(const ClipInput& input, float a) {
  const Grid& grid = input.grid;
  return slow_error(input, static_cast<double>(a) / grid.steps(), grid.lowest(), grid.highest());
}

// The search promises 0.3%; see step_search.h. Beyond 32768 values it works on bins.
TEST(MseClip, ComesWithinThreePerMilleOfTheLeastError) {
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    for (const Distribution distribution : all_distributions) {
      for (const std::size_t size : {9U, 64U, 576U, 4608U}) {
        for (std::uint64_t seed = 0; seed < (size < 1000 ? 8U : 1U); ++seed) {
          const std::vector<float> values = sample(distribution, size, seed);
          const ClipInput input = clip_input(values, {.bits = bits});
          const double error = error_of(input, threshold(MseClip{}, input));
          ASSERT_LE(error, 1.003 * least_error(values, input.grid.steps()) + 1e-12)
              << bits << " bits, " << size << ' ' << name_of(distribution) << ", seed " << seed;
        }
      }
    }
  }
}

TEST(MseClip, IsAsGoodForManyValues) {
  for (const int bits : {3, 8}) {
    for (const Distribution distribution : {Distribution::laplace, Distribution::outlier}) {
      const std::vector<float> values = sample(distribution, 40000, 5);
      const ClipInput input = clip_input(values, {.bits = bits});
      const double error = error_of(input, threshold(MseClip{}, input));
      EXPECT_LE(error, 1.003 * least_error(values, input.grid.steps()))
          << bits << " bits, " << name_of(distribution);
    }
  }
}

TEST(MseClip, OnTheUnsignedGridUsesAllStepsAboveZero) {
  for (const int bits : {3, 4, 8}) {
    const std::vector<float> values = rectified(sample(Distribution::laplace, 2000, 6));
    const ClipInput input = clip_input(values, {.bits = bits, .is_signed = false});
    const double error = error_of(input, threshold(MseClip{}, input));
    // Values that are never negative meet the same steps on a signed grid of as many.
    EXPECT_LE(error, 1.003 * least_error(values, input.grid.steps())) << bits;
  }
}

TEST(MseClip, OfAHistogramIsThatOfItsValues) {
  // Values on a raster of 1/64, so that the histogram holds them exactly.
  std::vector<float> values = sample(Distribution::laplace, 20000, 7);
  for (float& v : values) v = std::round(v * 64.0F) / 64.0F;
  std::vector<float> sorted = values;
  std::ranges::sort(sorted);
  std::vector<float> distinct;
  std::vector<double> counts;
  for (const float v : sorted) {
    if (distinct.empty() || distinct.back() != v) {
      distinct.push_back(v);
      counts.push_back(0.0);
    }
    counts.back() += 1.0;
  }
  for (const int bits : {3, 5, 8}) {
    const ClipInput plain = clip_input(values, {.bits = bits});
    ClipInput counted = plain;
    counted.values = distinct;
    counted.counts = counts;
    const double from_values = error_of(plain, threshold(MseClip{}, plain));
    const double from_counts = error_of(plain, threshold(MseClip{}, counted));
    EXPECT_NEAR(from_counts / from_values, 1.0, 0.003) << bits;
  }
}

TEST(MseClip, LeavesWhatFitsTheGridUnclipped) {
  const std::vector<float> values{-7, 3, 0, 5, 6, 7, 1};
  EXPECT_EQ(threshold(MseClip{}, clip_input(values, {.bits = 4})), 7.0F);
}

TEST(MseClip, HasAThresholdForTinyMagnitudes) {
  const std::vector<float> values{1e-40F, -2e-40F};
  EXPECT_EQ(threshold(MseClip{}, clip_input(values, {.bits = 4})), 2e-40F);
}

TEST(CountedValues, StandForManyByTheirMeans) {
  const std::vector<float> values = sample(Distribution::normal, 10000, 8);
  const CountedValues counted = counted_values(clip_input(values, Grid{}), 1000);
  ASSERT_LE(counted.values.size(), 1000U);
  ASSERT_EQ(counted.values.size(), counted.counts.size());
  double count = 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < counted.values.size(); ++i) {
    count += static_cast<double>(counted.counts[i]);
    sum += static_cast<double>(counted.counts[i]) * static_cast<double>(counted.values[i]);
  }
  double expected = 0.0;
  for (const float v : values) expected += static_cast<double>(v);
  EXPECT_EQ(count, 10000.0);
  EXPECT_NEAR(sum, expected, 1e-3);  // means are rounded to float
}

}  // namespace
}  // namespace ocs
