#include "ocs/report/signal_to_noise.h"

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace ocs {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

double db_of(std::vector<float> reference, std::vector<float> value) {
  SignalToNoise sum;
  sum.add(reference, value);
  return sum.db();
}

TEST(SignalToNoise, IsTheRatioOfSquaresInDecibels) {
  // 3^2 + 4^2 = 25 against 0.5^2 = 0.25: a factor of 100.
  EXPECT_DOUBLE_EQ(db_of({3.0F, 4.0F}, {3.0F, 4.5F}), 20.0);
  EXPECT_DOUBLE_EQ(db_of({1.0F}, {2.0F}), 0.0);
}

TEST(SignalToNoise, StaysWithinItsLimits) {
  EXPECT_EQ(db_of({1.0F, 2.0F}, {1.0F, 2.0F}), 200.0);
  EXPECT_EQ(db_of({}, {}), 200.0);
  EXPECT_EQ(db_of({0.0F}, {0.0F}), 200.0);
  EXPECT_EQ(db_of({0.0F}, {1.0F}), -200.0);
  EXPECT_EQ(db_of({1.0F}, {nan}), -200.0);
  EXPECT_EQ(db_of({1.0F}, {inf}), -200.0);
}

TEST(SignalToNoise, TakesInfinitiesOfTheReferenceForWhatTheyAre) {
  EXPECT_DOUBLE_EQ(db_of({-inf, nan, 3.0F, 4.0F}, {-inf, nan, 3.0F, 4.5F}), 20.0);
  EXPECT_EQ(db_of({-inf, 1.0F}, {0.0F, 1.0F}), -200.0);
}

// Longer than what is summed side by side, with an end that does not fill it; quarters are exact in any order.
TEST(SignalToNoise, SumsManyValuesAsOneByOne) {
  for (const std::size_t count : {7U, 8U, 9U, 61U}) {
    for (const float odd_one : {1.0F, -inf, nan}) {
      std::vector<float> reference(count);
      std::vector<float> value(count);
      SignalToNoise expected;
      for (std::size_t i = 0; i < count; ++i) {
        reference[i] = static_cast<float>(i);
        value[i] = reference[i] + 0.25F * static_cast<float>(i % 3);
        if (i == count / 2) reference[i] = value[i] = odd_one;
        expected.add(std::span(reference).subspan(i, 1), std::span(value).subspan(i, 1));
      }
      SignalToNoise sum;
      sum.add(reference, value);
      EXPECT_EQ(sum, expected) << count << " values, one of them " << odd_one;
    }
  }
}

TEST(SignalToNoise, IsNoNumberWhereSizesDiffer) {
  SignalToNoise sum;
  sum.add(std::array{1.0F}, std::array{1.0F, 2.0F});
  EXPECT_TRUE(std::isnan(sum.db()));
  SignalToNoise whole;
  whole.add(std::array{1.0F}, std::array{1.0F});
  whole.add(sum);
  EXPECT_TRUE(std::isnan(whole.db()));
}

TEST(SignalToNoise, AddsUpOverSamples) {
  SignalToNoise together;
  together.add(std::array{3.0F, 4.0F, 1.0F}, std::array{3.0F, 4.5F, 1.25F});
  SignalToNoise first;
  first.add(std::array{3.0F, 4.0F}, std::array{3.0F, 4.5F});
  SignalToNoise second;
  second.add(std::array{1.0F}, std::array{1.25F});
  first.add(second);
  EXPECT_EQ(first, together);
}

double agreement_of(Shape shape, std::vector<float> reference, std::vector<float> value) {
  SameTopOne sum;
  sum.add(shape, reference, value);
  return sum.percent();
}

TEST(SameTopOne, ComparesTheLargestOfEachRow) {
  EXPECT_EQ(agreement_of({2, 3}, {0, 1, 2, 5, 4, 3}, {0, 1, 3, 4, 5, 3}), 50.0);
  EXPECT_EQ(agreement_of({3}, {0, 1, 2}, {0, 1, 3}), 100.0);
  EXPECT_EQ(agreement_of({1, 2, 2}, {0, 1, 1, 0}, {0, 1, 0, 1}), 50.0);
}

TEST(SameTopOne, LooksForClassesOfImagesOnTheirSecondAxis) {
  // Two classes, two places: class 1 wins at the first place, class 0 at the second.
  EXPECT_EQ(agreement_of({1, 2, 1, 2}, {0, 1, 1, 0}, {0, 1, 1, 2}), 50.0);
  EXPECT_EQ(agreement_of({1, 2, 1, 1}, {0, 1}, {0, 2}), 100.0);
}

TEST(SameTopOne, TakesTheFirstOfEqualScores) {
  EXPECT_EQ(agreement_of({3}, {1, 1, 0}, {2, 1, 1}), 100.0);
}

TEST(SameTopOne, SaysNothingWithoutClasses) {
  EXPECT_TRUE(std::isnan(agreement_of({4, 1}, {0, 1, 2, 3}, {0, 1, 2, 3})));
  EXPECT_TRUE(std::isnan(agreement_of({}, {1}, {1})));
  EXPECT_TRUE(std::isnan(agreement_of({0, 10}, {}, {})));
}

}  // namespace
}  // namespace ocs
