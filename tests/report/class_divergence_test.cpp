#include "ocs/report/class_divergence.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "ocs/core/tensor.h"

namespace ocs {
namespace {

// Sums of a few doubles.
constexpr double rounding = 1e-12;

ClassDivergence of(const Shape& shape, const std::vector<float>& reference,
                   const std::vector<float>& value) {
  ClassDivergence sum;
  sum.add(shape, reference, value);
  return sum;
}

double kl(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
  return sum;
}

TEST(ClassDivergence, IsThatOfTheSoftmaxOfEachRow) {
  // e^2 : e^3 and the other way round; the same scores with another offset are no difference.
  const double high = 1.0 / (1.0 + std::exp(-1.0));
  const ClassDivergence sum = of({2, 2}, {2.0F, 3.0F, 5.0F, 7.0F}, {3.0F, 2.0F, 2.0F, 4.0F});
  EXPECT_EQ(sum.rows, 2);
  EXPECT_NEAR(sum.sum, kl({1.0 - high, high}, {high, 1.0 - high}), rounding);
  EXPECT_NEAR(sum.mean(), sum.sum / 2.0, rounding);
}

TEST(ClassDivergence, TakesProbabilitiesAsTheyStand) {
  EXPECT_NEAR(of({1, 2}, {0.25F, 0.75F}, {0.5F, 0.5F}).mean(), kl({0.25, 0.75}, {0.5, 0.5}),
              rounding);
  // What float rounded to zero is no more than small.
  EXPECT_TRUE(std::isfinite(of({1, 2}, {0.5F, 0.5F}, {1.0F, 0.0F}).mean()));
}

TEST(ClassDivergence, BearsLargeScores) {
  EXPECT_NEAR(of({1, 2}, {1000.0F, 0.0F}, {0.0F, 1000.0F}).mean(), 1000.0, rounding);
}

TEST(ClassDivergence, LooksAlongTheChannelsOfAnImage) {
  const ClassDivergence sum = of({1, 2, 1, 2}, {0.0F, 5.0F, 1.0F, 7.0F}, {0.0F, 5.0F, 1.0F, 7.0F});
  EXPECT_EQ(sum.rows, 2);
  EXPECT_EQ(sum.sum, 0.0);
}

TEST(ClassDivergence, HasNoFigureWithoutClasses) {
  EXPECT_TRUE(std::isnan(of({3, 1}, {1.0F, 2.0F, 3.0F}, {1.0F, 2.0F, 3.0F}).mean()));
  EXPECT_TRUE(std::isnan(of({1, 2}, {1.0F, 2.0F}, {1.0F}).mean()));
}

TEST(ClassDivergence, IsInfiniteWhereAScoreIsNot) {
  EXPECT_EQ(of({1, 2}, {1.0F, 2.0F}, {std::nanf(""), 2.0F}).mean(),
            std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace ocs
