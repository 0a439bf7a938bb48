#include <cmath>

#include <gtest/gtest.h>

#include "ocs/clip/clip.h"
#include "ocs/clip/histogram.h"

namespace ocs {
namespace {

TEST(EqualBins, PutTheUpperEdgeIntoTheLastBin) {
  const std::vector<float> values{0, 0.49F, 0.5F, 1.0F};
  const EqualBins bins = equal_bins(clip_input(values, Grid{}), 0, 1, 2);
  EXPECT_EQ(bins.counts, (std::vector<double>{2, 2}));
  EXPECT_EQ(bins.centre(0), 0.25);
  EXPECT_EQ(bins.centre(1), 0.75);
}

TEST(EqualBins, AddUpCounts) {
  const std::vector<float> values{-1, 1};
  const std::vector<double> counts{3, 4};
  const ClipInput input{.values = values, .counts = counts, .min = -1, .max = 1};
  EXPECT_EQ(equal_bins(input, -1, 1, 3).counts, (std::vector<double>{3, 0, 4}));
}

TEST(EqualBins, OfEqualValuesAreOneBin) {
  const std::vector<float> values{2, 2};
  const EqualBins bins = equal_bins(clip_input(values, Grid{}), 2, 2, 3);
  EXPECT_EQ(bins.counts, (std::vector<double>{2, 0, 0}));
  EXPECT_EQ(bins.centre(0), 2.0);
}

TEST(CentreError, RoundsAndClipsTheCentres) {
  const EqualBins bins{.low = -2, .width = 1, .counts = {1, 0, 2, 5}};  // centres -1.5 .. 1.5
  // Step 1, levels -1, 0, 1: misses 0.5, -, 0.5 (a tie to even: 0), 0.5.
  EXPECT_EQ(centre_error(bins, 1.0, {.bits = 2}), 8 * 0.25);
  // Unsigned, levels 0 .. 3, step 0.5: misses 1.5, -, 0, 0.
  EXPECT_EQ(centre_error(bins, 1.5, {.bits = 2, .is_signed = false}), 2.25);
}

TEST(MseHistClip, TakesAPerCentOfTheLargestMagnitude) {
  std::vector<float> values;
  for (int i = -100; i <= 100; ++i) values.push_back(static_cast<float>(i) / 100.0F);
  values.push_back(10.0F);
  const float a = threshold(MseHistClip{}, clip_input(values, {.bits = 4}));
  const float per_cent = a / 0.1F;
  EXPECT_NEAR(per_cent, std::nearbyint(per_cent), 1e-3);
  EXPECT_LT(a, 10.0F);
}

}  // namespace
}  // namespace ocs
