#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "ocs/clip/clip.h"
#include "ocs/clip/grid_fit.h"
#include "support/distributions.h"

namespace ocs {
namespace {

// What SiLU-like functions make: a short negative side, a long positive one.
std::vector<float> lopsided(std::vector<float> values) {
  for (float& v : values) v = v > 0 ? 3.0F * v : 0.1F * v;
  return values;
}

// The best of all pairs of ends on a raster of 1/60 of each extreme.
double least_error_of_a_raster(const ClipInput& input) {
  double best = HUGE_VAL;
  for (int i = 0; i <= 60; ++i) {
    for (int j = i == 0 ? 1 : 0; j <= 60; ++j) {
      const ClipRange range{.low = input.min * static_cast<float>(i) / 60.0F,
                            .high = input.max * static_cast<float>(j) / 60.0F};
      best = std::min(best, rounding_error(input, range));
    }
  }
  return best;
}

// A raster is no bound, so the search may be better; 2% is what it may lose where the noise of
// rounding a few hundred values decides between neighbouring zero points.
TEST(MseRange, IsNoWorseThanTryingAllPairsOfEnds) {
  for (const int bits : {2, 3, 4, 8}) {
    for (const Distribution distribution : all_distributions) {
      for (const bool even : {true, false}) {
        std::vector<float> values = sample(distribution, 1000, 40);
        if (!even) values = lopsided(std::move(values));
        const ClipInput input = clip_input(values, {.bits = bits, .is_signed = false});
        const ClipRange range = clip_range(MseClip{}, input);
        EXPECT_LE(rounding_error(input, range), 1.02 * least_error_of_a_raster(input))
            << bits << " bits, " << name_of(distribution) << (even ? "" : ", lopsided");
      }
    }
  }
}

TEST(MseRange, KeepsZeroALevel) {
  for (const int bits : {2, 4, 8, 16}) {
    const std::vector<float> values = lopsided(sample(Distribution::laplace, 500, 41));
    const ClipRange range = clip_range(MseClip{}, clip_input(values, {.bits = bits}));
    EXPECT_LE(range.low, 0.0F);
    EXPECT_GE(range.high, 0.0F);
    const float scale = (range.high - range.low) / static_cast<float>((1 << bits) - 1);
    const float zero_point = -range.low / scale;
    EXPECT_NEAR(zero_point, std::nearbyint(zero_point), 1e-2) << bits;  // float ends
  }
}

TEST(MseRange, OfManyValuesIsThatOfFewLikeThem) {
  const std::vector<float> many = lopsided(sample(Distribution::normal, 50000, 42));
  const ClipInput input = clip_input(many, {.bits = 4});
  const ClipRange range = clip_range(MseClip{}, input);
  EXPECT_LE(rounding_error(input, range), 1.005 * least_error_of_a_raster(input));
}

TEST(MseRange, ClipsALoneOutlier) {
  std::vector<float> values = sample(Distribution::normal, 5000, 43);
  values[0] = -1000.0F;
  values[1] = 30.0F;
  const ClipRange range = clip_range(MaxClip{}, clip_input(values, {.bits = 8}));
  EXPECT_EQ(range, (ClipRange{-1000.0F, 30.0F}));
  // One value in 5000 is worth its square at a thousand times the others' deviation.
  const ClipInput input = clip_input(values, {.bits = 8});
  EXPECT_LT(rounding_error(input, clip_range(MseClip{}, input)), rounding_error(input, range));
}

}  // namespace
}  // namespace ocs
