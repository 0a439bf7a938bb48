#include "ocs/plan/estimate_channels.h"

#include <cmath>
#include <functional>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Two channels: N(0.5, 2) and N(-1, 0.5).
constexpr double means[] = {0.5, -1.0};
constexpr double deviations[] = {2.0, 0.5};

std::map<std::string, ChannelEstimate> estimates(const std::string& steps) {
  const Model model = text_model(
      "input x float[N, 2, 4, 4]; init g float[2] {-2, 0.5}; init b float[2] {0.5, -1}; "
      "init m float[2] {3, 4}; init v float[2] ones; init three float[] {3}; init six float[] {6}; "
      "init zero float[] {0}; init half float[] {0.5}; init big float[2] {1, 2}; "
      "n: a = BatchNormalization(x, g, b, m, v); " +
      steps + " output y;");
  return estimate_channels(Graph(model), {});
}

// By drawing.
ChannelEstimate drawn(const std::function<double(double)>& function) {
  ChannelEstimate estimate;
  for (std::size_t c = 0; c < 2; ++c) {
    double sum = 0.0;
    double squares = 0.0;
    constexpr std::size_t count = 400000;
    for (const float t : Random(c + 1).normals(count)) {
      const double y = function(means[c] + deviations[c] * static_cast<double>(t));
      sum += y / count;
      squares += y * y / count;
    }
    estimate.mean.push_back(sum);
    estimate.variance.push_back(squares - sum * sum);
  }
  return estimate;
}

void expect_near(const ChannelEstimate& found, const ChannelEstimate& wanted) {
  ASSERT_EQ(found.mean.size(), wanted.mean.size());
  for (std::size_t c = 0; c < wanted.mean.size(); ++c) {
    EXPECT_NEAR(found.mean[c], wanted.mean[c], 0.01) << c;
    EXPECT_NEAR(found.variance[c], wanted.variance[c], 0.02) << c;
  }
}

TEST(EstimateChannels, TakesWhatBatchNormalizationStates) {
  const auto found = estimates("y = Identity(a);");
  EXPECT_THAT(found.at("a").mean, testing::ElementsAre(0.5, -1.0));
  EXPECT_THAT(found.at("a").variance, testing::ElementsAre(4.0, 0.25));
  EXPECT_THAT(found.at("y").mean, testing::ElementsAre(0.5, -1.0));
  EXPECT_FALSE(found.contains("x"));
}

// The closed form: mean of max(x, 0) for x normal is m Phi(m/s) + s phi(m/s).
TEST(EstimateChannels, IntegratesRelu) {
  const ChannelEstimate found = estimates("y = Relu(a);").at("y");
  for (std::size_t c = 0; c < 2; ++c) {
    const double t = means[c] / deviations[c];
    const double below = 0.5 * std::erfc(-t / std::numbers::sqrt2);
    const double density = std::exp(-0.5 * t * t) / std::sqrt(2.0 * std::numbers::pi);
    EXPECT_NEAR(found.mean[c], means[c] * below + deviations[c] * density, 1e-3);
    const double second = (means[c] * means[c] + deviations[c] * deviations[c]) * below +
                          means[c] * deviations[c] * density;
    EXPECT_NEAR(found.variance[c], second - found.mean[c] * found.mean[c], 4e-3);
  }
}

TEST(EstimateChannels, IntegratesWhatIsComputedFromOneValue) {
  const auto hard_swish = [](double x) { return x * std::clamp(x + 3.0, 0.0, 6.0) / 6.0; };
  expect_near(
      estimates("p = Add(a, three); q = Clip(p, zero, six); r = Mul(q, a); y = Div(r, six);")
          .at("y"),
      drawn(hard_swish));
  expect_near(estimates("y = HardSwish(a);").at("y"), drawn(hard_swish));
  expect_near(estimates("s = Sigmoid(a); y = Mul(a, s);").at("y"),
              drawn([](double x) { return x / (1.0 + std::exp(-x)); }));
  expect_near(estimates("t = LeakyRelu(a) {alpha = 0.25}; y = Tanh(t);").at("y"),
              drawn([](double x) { return std::tanh(x < 0.0 ? 0.25 * x : x); }));
  expect_near(estimates("e = Elu(a); y = Sub(half, e);").at("y"),
              drawn([](double x) { return 0.5 - (x < 0.0 ? std::expm1(x) : x); }));
  expect_near(estimates("y = HardSigmoid(a);").at("y"),
              drawn([](double x) { return std::clamp(0.2 * x + 0.5, 0.0, 1.0); }));
}

TEST(EstimateChannels, AddsDifferentValuesAsIndependentAndNormalAgain) {
  const auto found =
      estimates("c = BatchNormalization(x, g, b, m, v); r = Relu(a); s = Add(r, c); y = Relu(s);");
  const ChannelEstimate& relu = found.at("r");
  EXPECT_DOUBLE_EQ(found.at("s").mean[0], relu.mean[0] + 0.5);
  EXPECT_DOUBLE_EQ(found.at("s").variance[0], relu.variance[0] + 4.0);
  EXPECT_GT(found.at("y").mean[1], 0.0);
}

TEST(EstimateChannels, PassesThroughAveragesFlattenAndConcat) {
  const auto found = estimates(
      "r = Relu(a); p = GlobalAveragePool(r); f = Flatten(p); y = Concat(f, f) {axis = 1};");
  EXPECT_EQ(found.at("f").mean, found.at("r").mean);
  EXPECT_EQ(found.at("y").mean.size(), 4U);
}

TEST(EstimateChannels, KnowsNothingOfTheRest) {
  const auto found = estimates(
      "p = MaxPool(a) {kernel_shape = [2, 2]}; q = Mul(a, big); c = Concat(a, p) {axis = 1}; "
      "d = Concat(a, a) {axis = 2}; s = Add(a, p); y = Relu(p);");
  for (const char* value : {"p", "q", "c", "d", "s", "y"}) EXPECT_FALSE(found.contains(value));
}

}  // namespace
}  // namespace ocs
