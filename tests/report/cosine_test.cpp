#include "ocs/report/cosine.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace ocs {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

double cosine(const std::vector<float>& reference, const std::vector<float>& value) {
  return cosine_similarity(reference, value);
}

TEST(CosineSimilarity, IsTheCosineOfTheAngle) {
  EXPECT_DOUBLE_EQ(cosine({3.0F, 4.0F}, {4.0F, 3.0F}), 24.0 / 25.0);
  EXPECT_DOUBLE_EQ(cosine({1.0F, 2.0F}, {-2.0F, -4.0F}), -1.0);
  EXPECT_DOUBLE_EQ(cosine({1.0F, 0.0F}, {0.0F, 5.0F}), 0.0);
}

TEST(CosineSimilarity, DoesNotSeeTheLength) {
  EXPECT_DOUBLE_EQ(cosine({1.0F, 2.0F, -3.0F}, {1e30F, 2e30F, -3e30F}), 1.0);
  EXPECT_DOUBLE_EQ(cosine({1e38F, 1e38F}, {1e38F, 1e38F}), 1.0);
}

TEST(CosineSimilarity, KnowsZeros) {
  EXPECT_EQ(cosine({0.0F, 0.0F}, {0.0F, 0.0F}), 1.0);
  EXPECT_EQ(cosine({0.0F, 0.0F}, {1.0F, 0.0F}), 0.0);
  EXPECT_EQ(cosine({1.0F, 0.0F}, {0.0F, 0.0F}), 0.0);
}

TEST(CosineSimilarity, LeavesOutWhatIsNotFiniteInTheReference) {
  EXPECT_DOUBLE_EQ(cosine({-infinity, 3.0F, 4.0F}, {-1e30F, 3.0F, 4.0F}), 1.0);
  EXPECT_EQ(cosine({1.0F, 3.0F}, {std::nanf(""), 3.0F}), 0.0);
}

TEST(CosineSimilarity, SaysNothingOfVectorsThatDoNotFit) {
  EXPECT_TRUE(std::isnan(cosine({1.0F}, {1.0F, 2.0F})));
  EXPECT_TRUE(std::isnan(cosine({}, {})));
}

TEST(CosineSimilarity, AddsUpMeanAndLeast) {
  CosineSimilarity left;
  left.add(0.5);
  left.add(1.0);
  CosineSimilarity right;
  right.add(0.9);
  left.add(right);
  EXPECT_DOUBLE_EQ(left.mean(), 0.8);
  EXPECT_EQ(left.minimum(), 0.5);
  EXPECT_EQ(left.samples, 3);
}

TEST(CosineSimilarity, HasNoAnswerOnceOneIsMissing) {
  CosineSimilarity some;
  EXPECT_TRUE(std::isnan(some.mean()));
  some.add(0.5);
  some.add(std::nan(""));
  EXPECT_TRUE(std::isnan(some.mean()));
  EXPECT_TRUE(std::isnan(some.minimum()));
}

}  // namespace
}  // namespace ocs
