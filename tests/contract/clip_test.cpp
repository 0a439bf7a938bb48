// What every clip method must fulfil, over the whole list: a new one is tested before its author
// writes a test.
#include "ocs/clip/clip.h"

#include <cmath>

#include <gtest/gtest.h>

#include "support/as_types.h"
#include "support/distributions.h"

namespace ocs {
namespace {

template <typename Method>
class ClipContract : public testing::Test {};
TYPED_TEST_SUITE(ClipContract, AsTypes<Clip>::type);

std::vector<Grid> grids(bool is_signed) {
  std::vector<Grid> all;
  for (const int bits : {2, 3, 4, 5, 6, 7, 8, 16}) {
    all.push_back({.bits = bits, .is_signed = is_signed});
  }
  return all;
}

// Calls test(values, grid) for every distribution and grid, signed and rectified.
template <typename Test>
void for_each_case(const Test& test) {
  for (const Distribution distribution : all_distributions) {
    for (const std::size_t size : {1U, 10U, 700U}) {
      const std::vector<float> values = sample(distribution, size, 77);
      for (const Grid& grid : grids(true)) test(values, grid);
      std::vector<float> positive = rectified(values);
      positive[0] = 0.5F;  // not all zero
      for (const Grid& grid : grids(false)) test(positive, grid);
    }
  }
}

TYPED_TEST(ClipContract, IsPositiveAndStaysWithinTheLargestMagnitude) {
  for_each_case([](const std::vector<float>& values, const Grid& grid) {
    const ClipInput input = clip_input(values, grid);
    const float a = threshold(TypeParam{}, input);
    EXPECT_GT(a, 0.0F);
    EXPECT_LE(a, input.max_abs());
  });
}

// By a power of two, which changes no bit of any fraction.
TYPED_TEST(ClipContract, GrowsWithTheValues) {
  for_each_case([](const std::vector<float>& values, const Grid& grid) {
    std::vector<float> larger = values;
    for (float& v : larger) v *= 1024.0F;
    EXPECT_EQ(threshold(TypeParam{}, clip_input(larger, grid)),
              1024.0F * threshold(TypeParam{}, clip_input(values, grid)));
  });
}

TYPED_TEST(ClipContract, IsZeroForZerosOnly) {
  const std::vector<float> zeros(20, 0.0F);
  for (const bool is_signed : {true, false}) {
    for (const Grid& grid : grids(is_signed)) {
      EXPECT_EQ(threshold(TypeParam{}, clip_input(zeros, grid)), 0.0F);
    }
  }
}

TYPED_TEST(ClipContract, AcceptsEqualValues) {
  for (const float value : {3.0F, 1e-44F, 1e30F}) {
    const std::vector<float> values(20, value);
    for (const bool is_signed : {true, false}) {
      const float a =
          threshold(TypeParam{}, clip_input(values, {.bits = 8, .is_signed = is_signed}));
      EXPECT_GT(a, 0.0F);
      EXPECT_LE(a, value);
    }
  }
}

TYPED_TEST(ClipContract, AcceptsTheExtremesOfFloat) {
  for (const float largest : {3e38F, 1e-38F, 1e-42F, 1e-45F}) {
    const std::vector<float> values{largest, -largest / 2, 0.0F, largest / 3};
    const ClipInput input = clip_input(values, {.bits = 4});
    const float a = threshold(TypeParam{}, input);
    EXPECT_GT(a, 0.0F);
    EXPECT_LE(a, largest);
    const ClipRange range = clip_range(TypeParam{}, input);
    EXPECT_TRUE(std::isfinite(range.low) && std::isfinite(range.high)) << largest;
    EXPECT_LT(range.low, range.high);
  }
}

// A histogram that counts every value once, as often as it occurs, is the same tensor.
TYPED_TEST(ClipContract, TakesCountsForRepetitions) {
  const std::vector<float> values{-0.75F, -0.25F, 0.0F, 0.125F, 0.25F, 1.0F};
  const std::vector<double> counts{1, 30, 100, 60, 35, 2};
  std::vector<float> repeated;
  for (std::size_t i = 0; i < values.size(); ++i) {
    repeated.insert(repeated.end(), static_cast<std::size_t>(counts[i]), values[i]);
  }
  for (const int bits : {2, 4, 8}) {
    ClipInput input = clip_input(values, {.bits = bits});
    input.counts = counts;
    const float a = threshold(TypeParam{}, clip_input(repeated, {.bits = bits}));
    // Sums run in another order: the last digits of a search may differ.
    EXPECT_NEAR(threshold(TypeParam{}, input), a, 1e-5F) << bits;
  }
}

TYPED_TEST(ClipContract, GivesARangeAroundZero) {
  for_each_case([](const std::vector<float>& values, const Grid& grid) {
    const ClipInput input = clip_input(values, grid);
    const ClipRange range = clip_range(TypeParam{}, input);
    EXPECT_LE(range.low, 0.0F);
    EXPECT_GE(range.high, 0.0F);
    EXPECT_LT(range.low, range.high);
  });
}

TYPED_TEST(ClipContract, IsReadBackFromItsText) {
  EXPECT_EQ(parse_clip(to_string(Clip(TypeParam{}))), Clip(TypeParam{}));
  EXPECT_EQ(parse_clip(TypeParam::name), Clip(TypeParam{}));
  EXPECT_FALSE(TypeParam::help.empty());
}

}  // namespace
}  // namespace ocs
