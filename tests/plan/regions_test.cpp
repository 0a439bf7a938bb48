#include "ocs/plan/regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Regions regions_of(const Model& model, ActScope scope = ActScope::regions) {
  const Graph graph(model);
  return find_regions(graph, find_all_layers(graph).layers, scope);
}

constexpr auto residual_block = R"(
  input x float[1, 4, 8, 8];
  init w float[4, 4, 1, 1] random 1;
  a: a1 = Conv(x, w);
  ra: a2 = Relu(a1);
  b: b1 = Conv(a2, w);
  add: s = Add(b1, a2);
  rs: s2 = Relu(s);
  c: y = Conv(s2, w);
  output y float[1, 4, 8, 8];
)";

TEST(FindRegions, QuantizesBehindActivationsAndThroughResidualAdds) {
  EXPECT_THAT(regions_of(text_model(residual_block)).quantized,
              UnorderedElementsAre("x", "a2", "b1", "s2", "y"));
}

TEST(FindRegions, QuantizesOnlyTheInputsOfLayersWhereAsked) {
  EXPECT_THAT(regions_of(text_model(residual_block), ActScope::inputs).quantized,
              UnorderedElementsAre("x", "a2", "s2"));
}

TEST(FindRegions, LeavesTheTailBehindTheLastLayerFloatAndSaysWhy) {
  const Regions regions = regions_of(text_model(R"(
    input x float[1, 4, 8, 8];
    init w float[4, 4, 1, 1] random 1;
    a: a1 = Conv(x, w);
    b: b1 = Conv(x, w);
    join: y = Concat(a1, b1) {axis = 1};
    output y;
  )"));
  EXPECT_THAT(regions.quantized, UnorderedElementsAre("x", "a1", "b1"));
  ASSERT_EQ(regions.notes.size(), 1U);
  EXPECT_EQ(regions.notes[0].node, "join");
  EXPECT_THAT(regions.notes[0].text, testing::HasSubstr("no quantized layer reads it"));
}

// Read by a layer or not: all that it reads would be dequantized for a few results.
TEST(FindRegions, PoolsIntegersWhoeverReadsTheResult) {
  const Regions regions = regions_of(text_model(R"(
    input x float[1, 4, 8, 8];
    init w float[4, 4, 1, 1] random 1;
    a: a1 = Conv(x, w);
    b: b1 = Conv(x, w);
    plus: s = Add(a1, b1);
    mean: m = GlobalAveragePool(s);
    flat: y = Flatten(m);
    output y;
  )"));
  EXPECT_THAT(regions.quantized, UnorderedElementsAre("x", "a1", "b1", "s", "m"));
  EXPECT_THAT(regions.integer_steps, UnorderedElementsAre("plus", "mean"));
}

TEST(FindRegions, LetsStepsThatOnlyMoveValuesKeepTheScale) {
  const Regions regions = regions_of(text_model(R"(
    input x float[1, 4, 8, 8];
    init w float[4, 4, 1, 1] random 1;
    a: a1 = Conv(x, w);
    r: a2 = Relu(a1);
    pool: p = MaxPool(a2) {kernel_shape = [2, 2], strides = [2, 2]};
    b: y = Conv(p, w);
    output y;
  )"));
  EXPECT_THAT(regions.scale_source, ElementsAre(testing::Pair("p", "a2")));
}

TEST(FindRegions, KeepsOtherActivationFunctionsFloatBetweenTwoPairs) {
  const Regions regions = regions_of(text_model(R"(
    input x float[1, 4, 8, 8];
    init w float[4, 4, 1, 1] random 1;
    a: a1 = Conv(x, w);
    g: g = Sigmoid(a1);
    m: a2 = Mul(a1, g);
    b: y = Conv(a2, w);
    output y;
  )"));
  EXPECT_THAT(regions.quantized, UnorderedElementsAre("x", "a1", "a2", "y"));
}

TEST(BehindActivation, StopsWhereSomethingElseReadsTheValue) {
  const Model model = text_model(R"(
    input x float[1, 4, 8, 8];
    init w float[4, 4, 1, 1] random 1;
    init six float[] {6};
    init zero float[] {0};
    a: a1 = Conv(x, w);
    c: a2 = Clip(a1, zero, six);
    b: b1 = Conv(a2, w);
    r: b2 = Relu(b1);
    also: n = Neg(b1);
    output b2; output n;
  )");
  const Graph graph(model);
  EXPECT_EQ(behind_activation(graph, "a1"), "a2");
  EXPECT_EQ(behind_activation(graph, "b1"), "b1");
  const Regions regions = regions_of(model);
  EXPECT_EQ(regions.upper_bound.at("a2"), 6.0F);
  EXPECT_TRUE(regions.not_negative.contains("a2"));
}

TEST(BehindActivation, DoesNotAbsorbAClipThatExcludesZero) {
  const Model model = text_model(R"(
    input x float[1, 4, 8, 8];
    init w float[4, 4, 1, 1] random 1;
    init one float[] {1};
    init six float[] {6};
    a: a1 = Conv(x, w);
    c: y = Clip(a1, one, six);
    output y;
  )");
  EXPECT_EQ(behind_activation(Graph(model), "a1"), "a1");
}

// A residual Add behind a normalization reads what it made, not what the layers read of it.
TEST(FindRegions, TellsWhichValuesAreThereAsFloats) {
  const Model model = text_model(R"(
    opset 17;
    input x float[2, 4];
    init g float[4] ones; init w float[4, 4] random 1;
    n: a = LayerNormalization(x, g);
    m: b = MatMul(a, w);
    o: c = MatMul(b, w);
    r: y = Add(c, a);
    output y;
  )");
  EXPECT_THAT(regions_of(model).quantized, UnorderedElementsAre("a", "b"));
  EXPECT_THAT(regions_of(model).float_values, UnorderedElementsAre("a"));
  EXPECT_THAT(regions_of(model).integer_steps, IsEmpty());
  EXPECT_THAT(regions_of(model, ActScope::inputs).float_values, UnorderedElementsAre("a", "b"));
  EXPECT_THAT(regions_of(text_model(residual_block)).float_values, UnorderedElementsAre("x"));
  EXPECT_THAT(regions_of(text_model(residual_block)).integer_steps, UnorderedElementsAre("add"));
}

TEST(FindRegions, HasNothingToQuantizeWithoutLayers) {
  EXPECT_THAT(regions_of(text_model("input x float[1]; y = Relu(x); output y;")).quantized,
              IsEmpty());
}

}  // namespace
}  // namespace ocs
