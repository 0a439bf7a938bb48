#include "ocs/plan/activation_function.h"

#include <cmath>

#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using Kind = ActivationFunction::Kind;

std::optional<ActivationFunction> behind(const std::string& nodes) {
  const Model model = text_model(
      "input x float[1, 4]; init three float[] {3}; init zero float[] {0}; init six float[] {6}; "
      "init two float[] {2};" +
      nodes + "output y;");
  return function_behind(Graph(model), "x");
}

TEST(FunctionBehind, RecognisesFunctionsWrittenOut) {
  EXPECT_EQ(behind("y = Sigmoid(x);")->kind, Kind::sigmoid);
  EXPECT_EQ(behind("s = Sigmoid(x); y = Mul(x, s);")->kind, Kind::silu);
  EXPECT_EQ(behind("s = Sigmoid(x); y = Mul(s, x);")->kind, Kind::silu);
  EXPECT_EQ(
      behind("a = Add(x, three); c = Clip(a, zero, six); m = Mul(x, c); y = Div(m, six);")->kind,
      Kind::hard_swish);
  EXPECT_EQ(behind("h = HardSigmoid(x) {alpha = 0.16666667, beta = 0.5}; y = Mul(h, x);")->kind,
            Kind::hard_swish);
}

TEST(FunctionBehind, LooksThroughScalarFactorsAndOffsets) {
  const auto function = behind("m = Mul(x, two); a = Add(m, three); y = Tanh(a);");
  ASSERT_TRUE(function);
  EXPECT_EQ(*function, (ActivationFunction{.kind = Kind::tanh, .factor = 2.0, .offset = 3.0}));
}

TEST(FunctionBehind, IsNothingWhereSomethingElseReadsTheValue) {
  EXPECT_FALSE(behind("s = Sigmoid(x); m = Mul(x, s); y = Add(m, x);"));
  EXPECT_FALSE(behind("s = Sigmoid(x); y = Mul(x, three);"));
  EXPECT_FALSE(behind("y = Neg(x);"));
}

TEST(RangeForFunction, SpendsNoLevelsWhereTheFunctionIsFlat) {
  Histogram histogram;
  std::vector<float> values = Random(2).normals(2000, 1.0F);
  values.push_back(-40.0F);
  histogram.add(values);
  const ClipRange range = range_for_function(histogram, {.kind = Kind::hard_swish}, 255);
  EXPECT_GE(range.low, -10.0F);  // HardSwish is zero below -3
  EXPECT_LE(range.low, -2.0F);
  EXPECT_GT(range.high, 2.0F);
}

}  // namespace
}  // namespace ocs
