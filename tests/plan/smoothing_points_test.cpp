#include "ocs/plan/smoothing_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/text_model.h"
#include "support/transformer.h"

namespace ocs {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> point_values(const Model& model, const Recipe& recipe = {}) {
  std::vector<std::string> values;
  for (const GainPoint& point : smoothing_points(model, recipe)) values.push_back(point.value);
  return values;
}

TEST(SmoothingPoints, LieBeforeTheMatMulOfATransformer) {
  const Model model = transformer_block();
  EXPECT_THAT(point_values(model), UnorderedElementsAre("n", "c", "m", "g"));
  for (const GainPoint& point : smoothing_points(model, {})) {
    EXPECT_EQ(point.channels, point.value == "g" ? 128 : 32);
    EXPECT_EQ(point.readers.size(), point.value == "n" ? 3U : 1U);
  }
}

TEST(SmoothingPoints, AreNotNeededWhereANormalizationTakesTheFactors) {
  EXPECT_THAT(point_values(transformer_block(false)), UnorderedElementsAre("c", "g"));
  EXPECT_TRUE(can_smooth(transformer_block(false), {}));
}

TEST(SmoothingPoints, LieWhereDataAreRoundedToAtMostEightBits) {
  Recipe recipe;
  recipe.act_bits.reset();
  EXPECT_FALSE(can_smooth(transformer_block(), recipe));
  recipe.act_bits = 16;
  EXPECT_FALSE(can_smooth(transformer_block(), recipe));
  recipe = built_in_recipe("dynamic");
  EXPECT_THAT(point_values(transformer_block(), recipe), UnorderedElementsAre("n", "c", "m", "g"));
  recipe = Recipe{};
  recipe.overrides = {{.pattern = "outer", .key = "act_bits", .value = "16"},
                      {.pattern = "attended", .key = "act_bits", .value = "float"}};
  EXPECT_THAT(point_values(transformer_block(), recipe), UnorderedElementsAre("n", "m"));
}

TEST(SmoothingPoints, DoNotTearIntegerKernelsApart) {
  const Model model = text_model(R"(
    input x float[1, 4, 8, 8];
    init w float[4, 4, 1, 1] random 1; init v float[4, 5] random 2; init u float[5, 3] random 3;
    conv: a = Conv(x, w);
    relu: b = Relu(a);
    pool: c = GlobalAveragePool(b);
    flat: d = Flatten(c);
    fc1: e = Gemm(d, v);
    fc2: f = Gemm(e, u);
    output f;
  )");
  EXPECT_THAT(point_values(model), IsEmpty());
  EXPECT_FALSE(can_smooth(model, {}));
}

TEST(SmoothingPoints, DoNotPartAReluFromItsQuantizer) {
  const Model model = text_model(R"(
    input x float[4, 8]; init w float[8, 4] random 1; init b float[4] random 2; init v float[4, 3] random 3;
    s: h = Sigmoid(x); m1: p = MatMul(h, w); a: q = Add(p, b); r: i = Relu(q); m2: y = MatMul(i, v);
    output y;
  )");
  EXPECT_THAT(point_values(model), UnorderedElementsAre("h"));
}

// Channels of a convolution lie on axis 1: a Mul would have to be made for each position.
TEST(SmoothingPoints, AreLeftToProducts) {
  const Model model = text_model(R"(
    input x float[1, 4, 8, 4]; init w float[4, 4, 1, 1] random 1; init v float[4, 5] random 2;
    s: a = Sigmoid(x); c: b = Conv(a, w); m: d = MatMul(a, v);
    output b; output d;
  )");
  EXPECT_THAT(point_values(model), IsEmpty());
}

TEST(OnlySmoothing, KeepsWhatLayersReadAndNoneMakes) {
  const Model model = text_model(R"(
    input x float[2, 4]; init g float[4] ones; init w float[4, 4] random 1; init v float[4, 3] random 2;
    norm: a = LayerNormalization(x, g); fc1: b = MatMul(a, w); relu: c = Relu(b); fc2: y = MatMul(c, v);
    opset 17;
    output y;
  )");
  const ScalableChannels all = find_scalable_channels(model);
  ASSERT_EQ(all.layers.size(), 2U);
  const ScalableChannels some = only_smoothing(all);
  ASSERT_EQ(some.layers.size(), 1U);
  EXPECT_EQ(some.layers[0].node, "fc1");
  EXPECT_THAT(some.axes, testing::ElementsAre(testing::Key("a")));
  for (const int row : some.layers[0].rows)
    EXPECT_NE(some.reasons[static_cast<std::size_t>(row)], "");
  for (const int column : some.layers[0].columns)
    EXPECT_EQ(some.reasons[static_cast<std::size_t>(column)], "");
}

}  // namespace
}  // namespace ocs
