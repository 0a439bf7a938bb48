#include "ocs/passes/scale_channels.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/verify.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

std::size_t free_classes(const ScalableChannels& channels) {
  return static_cast<std::size_t>(std::ranges::count(channels.reasons, ""));
}

// A factor of 1/8 to 8 for each class that may have one.
std::vector<double> some_factors(const ScalableChannels& channels) {
  std::mt19937 random(9);
  std::uniform_real_distribution<double> exponent(-3.0, 3.0);
  std::vector<double> factors;
  for (const std::string& reason : channels.reasons)
    factors.push_back(reason.empty() ? std::exp2(exponent(random)) : 1.0);
  return factors;
}

// The network computes the same with other weights; returns how many classes were free.
std::size_t expect_same_scaled(std::string_view text) {
  const Model before = text_model(text);
  verify(before);
  const ScalableChannels channels = find_scalable_channels(before);
  const Model after = scale_channels(before.clone(), channels, some_factors(channels)).model;
  verify(after);
  expect_same_outputs(before, after, float_rounding);
  const bool is_changed = before.graph().SerializeAsString() != after.graph().SerializeAsString();
  EXPECT_EQ(is_changed, free_classes(channels) > 0);
  return free_classes(channels);
}

TEST(ScaleChannels, KeepsChainsThroughStepsThatAreHomogeneous) {
  for (const char* step : {"Relu(s)", "LeakyRelu(s) {alpha = 0.2}", "PRelu(s, slope)",
                           "Identity(s)", "MaxPool(s) {kernel_shape = [2, 2]}", "Dropout(s)",
                           "AveragePool(s) {kernel_shape = [2, 2]}"}) {
    SCOPED_TRACE(step);
    EXPECT_EQ(expect_same_scaled(std::string(R"(
      input x float[2, 3, 6, 6];
      init v float[4, 3, 3, 3] random 1;
      init b float[4] {0.5, -0.25, 1, 2};
      init slope float[4, 1, 1] {0.1, 0.2, 0.3, -0.5};
      init w float[5, 4, 1, 1] random 2;
      c: s = Conv(x, v, b) {kernel_shape = [3, 3]};
      r: a = )") + step + R"(;
      d: y = Conv(a, w) {kernel_shape = [1, 1]};
      output y;
    )"),
              4U);
  }
}

TEST(ScaleChannels, KeepsDepthwiseAndGroupedChains) {
  EXPECT_EQ(expect_same_scaled(R"(
    input x float[1, 3, 6, 6];
    init v float[4, 3, 1, 1] random 1;
    init d float[4, 1, 3, 3] random 2;
    init e float[6, 2, 1, 1] random 3;
    init w float[2, 6, 1, 1] random 4;
    init b float[4] {0.5, -0.25, 1, 2};
    c1: s = Conv(x, v, b) {kernel_shape = [1, 1]};
    r1: a = Relu(s);
    c2: t = Conv(a, d, b) {kernel_shape = [3, 3], group = 4, pads = [1, 1, 1, 1]};
    r2: p = Relu(t);
    c3: u = Conv(p, e) {kernel_shape = [1, 1], group = 2};
    c4: y = Conv(u, w) {kernel_shape = [1, 1]};
    output y;
  )"),
            4U + 4U + 6U);
}

// Two blocks on one trunk: five producers and readers of one vector of factors.
TEST(ScaleChannels, KeepsResidualBlocks) {
  EXPECT_EQ(expect_same_scaled(R"(
    input x float[1, 3, 6, 6];
    init v float[4, 3, 1, 1] random 1;
    init w float[4, 4, 1, 1] random 2;
    init u float[4, 4, 1, 1] random 3;
    init z float[2, 4, 1, 1] random 4;
    c1: a = Conv(x, v) {kernel_shape = [1, 1]};
    r1: b = Relu(a);
    c2: c = Conv(b, w) {kernel_shape = [1, 1]};
    a1: d = Add(b, c);
    r2: e = Relu(d);
    c3: f = Conv(e, u) {kernel_shape = [1, 1]};
    a2: g = Add(f, e);
    c4: y = Conv(g, z) {kernel_shape = [1, 1]};
    output y;
  )"),
            4U);
}

TEST(ScaleChannels, SplitsTheFactorsOfAConcat) {
  EXPECT_EQ(expect_same_scaled(R"(
    input x float[1, 3, 6, 6];
    init v float[2, 3, 1, 1] random 1;
    init w float[3, 3, 3, 3] random 2;
    init u float[4, 5, 1, 1] random 3;
    init z float[2, 3, 1, 1] random 4;
    c1: a = Conv(x, v) {kernel_shape = [1, 1]};
    c2: b = Conv(x, w) {kernel_shape = [3, 3], pads = [1, 1, 1, 1]};
    j: c = Concat(a, b) {axis = 1};
    c3: y = Conv(c, u) {kernel_shape = [1, 1]};
    c4: t = Conv(b, z) {kernel_shape = [1, 1]};
    output y;
    output t;
  )"),
            5U);
}

// Along the axes behind the channels.
TEST(ScaleChannels, CarriesFactorsThroughSpatialSteps) {
  for (const char* step :
       {"Pad(r, pads)", "Pad(r, pads, zero)", "Pad(r, pads) {mode = \"reflect\"}",
        "ReduceMean(r) {axes = [2, 3]}", "ReduceMax(r) {axes = [-1]}", "ReduceSum(r, both)",
        "Slice(r, from, to, last)", "Resize(r, , scales)",
        "Resize(r, , scales) {mode = \"linear\"}", "Resize(r, , , sizes)"}) {
    SCOPED_TRACE(step);
    EXPECT_EQ(expect_same_scaled(std::string(R"(
      input x float[2, 3, 6, 6];
      init v float[4, 3, 3, 3] random 1;
      init w float[5, 4, 1, 1] random 2;
      init pads int64[8] {0, 0, 1, 2, 0, 0, 0, 1};
      init zero float[] {0};
      init both int64[2] {-1, -2};
      init from int64[1] {1}; init to int64[1] {3}; init last int64[1] {3};
      init scales float[4] {1, 1, 2, 2}; init sizes int64[4] {2, 4, 7, 3};
      c: s = Conv(x, v) {kernel_shape = [3, 3]};
      p: r = Relu(s);
      f: a = )") + step + R"(;
      d: y = Conv(a, w) {kernel_shape = [1, 1]};
      output y;
    )"),
              4U);
  }
}

TEST(ScaleChannels, CarriesFactorsThroughAMeanThatIsFlat) {
  EXPECT_EQ(expect_same_scaled(R"(
      input x float[2, 3, 6, 6];
      init v float[4, 3, 3, 3] random 1;
      init w float[4, 5] random 2;
      c: s = Conv(x, v) {kernel_shape = [3, 3]};
      p: r = Relu(s);
      m: a = ReduceMean(r) {axes = [2, 3], keepdims = 0};
      g: y = Gemm(a, w);
      output y;
    )"),
            4U);
}

// Channels meet there, or a constant that has no factor.
TEST(ScaleChannels, StopsAtStepsThatMixChannels) {
  for (const char* step :
       {"Pad(r, across)", "Pad(r, pads, one)", "ReduceMean(r) {axes = [1]}", "ReduceMean(r)",
        "Slice(r, from, to, channels)", "Resize(r, , taller)"}) {
    SCOPED_TRACE(step);
    const ScalableChannels found = find_scalable_channels(text_model(std::string(R"(
      input x float[2, 3, 6, 6];
      init v float[4, 3, 3, 3] random 1;
      init pads int64[8] {0, 0, 1, 2, 0, 0, 0, 1}; init across int64[8] {0, 1, 0, 0, 0, 0, 0, 0};
      init one float[] {1};
      init from int64[1] {1}; init to int64[1] {3}; init channels int64[1] {1};
      init taller float[4] {1, 2, 1, 1};
      c: s = Conv(x, v) {kernel_shape = [3, 3]};
      p: r = Relu(s);
      f: a = )") + step + R"(;
      q: y = Tanh(a);
      output y;
    )"));
    const std::vector<int>& numbers = found.values.at("r");
    EXPECT_THAT(found.reasons.at(static_cast<std::size_t>(numbers.at(0))),
                HasSubstr("'f' reads it"));
  }
}

TEST(ScaleChannels, CarriesFactorsThroughFlattenAndReshape) {
  for (const char* step : {"Flatten(r)", "Reshape(r, to) {}", "Reshape(r, keep) {}"}) {
    SCOPED_TRACE(step);
    EXPECT_EQ(expect_same_scaled(std::string(R"(
      input x float[2, 3, 4, 4];
      init v float[4, 3, 3, 3] random 1;
      init w float[16, 5] random 2;
      init b float[5] random 3;
      init to int64[2] {2, 16};
      init keep int64[2] {0, -1};
      c: s = Conv(x, v) {kernel_shape = [3, 3]};
      p: r = Relu(s);
      f: a = )") + step + R"(;
      g: y = Gemm(a, w, b);
      output y;
    )"),
              4U);
  }
}

TEST(ScaleChannels, KeepsMatMulWithABiasBehindIt) {
  EXPECT_EQ(expect_same_scaled(R"(
    input x float[2, 5, 6];
    init v float[6, 4] random 1;
    init b float[4] {0.5, -0.25, 1, 2};
    init w float[4, 3] random 2;
    m: s = MatMul(x, v);
    a: t = Add(s, b);
    r: u = Relu(t);
    n: y = MatMul(u, w);
    output y;
  )"),
            4U);
}

TEST(ScaleChannels, PassesAClipThatIsNotReached) {
  const Model before = text_model(R"(
    input x float[1, 2, 1, 1];
    init v float[2, 2, 1, 1] {1, 0, 0, 1};
    init w float[1, 2, 1, 1] {1, 1};
    init low float[] {0};
    init high float[] {6};
    c: s = Conv(x, v) {kernel_shape = [1, 1]};
    k: a = Clip(s, low, high);
    d: y = Conv(a, w) {kernel_shape = [1, 1]};
    output y;
  )");
  const ScalableChannels channels = find_scalable_channels(before);
  ASSERT_EQ(channels.bounds.size(), 1U);
  EXPECT_EQ(channels.bounds[0].value, "a");
  EXPECT_EQ(channels.bounds[0].largest, 6.0F);
  std::vector<double> factors(channels.reasons.size(), 1.0);
  const std::vector<int>& classes = channels.values.at("a");
  factors[static_cast<std::size_t>(classes[0])] = 5.0;
  factors[static_cast<std::size_t>(classes[1])] = 0.5;
  const Model after = scale_channels(before.clone(), channels, factors).model;
  const auto x = [](float first, float second) {
    return NamedTensors{
        {"x", {.shape = {1, 2, 1, 1}, .values = std::vector<float>{first, second}}}};
  };
  expect_same_outputs(before, after, float_rounding, x(1.1F, 5.9F));
  expect_same_outputs(before, after, float_rounding, x(-3.0F, -4.0F));
}

struct Refusal {
  const char* name = "";
  const char* step = "";
  const char* reason = "";
};

class RefusesToScale : public testing::TestWithParam<Refusal> {};

TEST_P(RefusesToScale, WithAReason) {
  const Model model = text_model(std::string(R"(
    input x float[1, 3, 6, 6];
    init v float[4, 3, 1, 1] random 1;
    init w float[2, 4, 1, 1] random 2;
    init two float[] {2};
    init ramp float[1, 4, 6, 6] random 3;
    c: s = Conv(x, v) {kernel_shape = [1, 1]};
    )") + GetParam().step + R"(
    d: y = Conv(a, w) {kernel_shape = [1, 1]};
    output y;
  )");
  const ScalableChannels channels = find_scalable_channels(model);
  EXPECT_EQ(free_classes(channels), 0U);
  ASSERT_FALSE(channels.layers.empty());
  EXPECT_THAT(channels.reasons.at(static_cast<std::size_t>(channels.layers[0].rows.at(0))),
              HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Steps, RefusesToScale,
    testing::Values(
        Refusal{"Sigmoid", "r: a = Sigmoid(s);", "Sigmoid 'r' reads it"},
        Refusal{"Output", "r: a = Relu(s); output a;", "'a' is an output of the model"},
        Refusal{"Gate", "q: g = Sigmoid(s); r: a = Mul(s, g);", "Sigmoid 'q' reads it"},
        Refusal{"Image", "q: g = Conv(x, v) {kernel_shape = [1, 1]}; r: a = Relu(s);",
                "Conv 'c' shares its weight"},
        Refusal{"ClipFromOne", "one: o = Identity(two); r: a = Clip(s, two);", "Clip 'r' reads it"},
        Refusal{"Map", "r: a = Add(s, ramp);", "Add 'r' reads it"},
        Refusal{
            "Body",
            "r: a = Relu(s); yes: t = Greater(two, two); i: b = If(t) {then_branch = graph { n: "
            "p = Neg(a); output p; }, else_branch = graph { m: q = Abs(two); output q; }}; "
            "output b;",
            "a body reads 'a'"}),
    [](const auto& instance) { return std::string(instance.param.name); });

// What they read keeps its scale: it is normalized, or multiplied by their own constants.
TEST(ScaleChannels, BeginsAnewBehindStepsWithAConstantForEachChannel) {
  for (const char* step :
       {"n: a = LayerNormalization(s, g, b);", "n: a = LayerNormalization(s, g) {axis = -1};",
        "n: a = Mul(s, g);", "n: a = Mul(b, s);",
        "n: t = LayerNormalization(s, g, b); o: a = Add(t, g);"}) {
    SCOPED_TRACE(step);
    EXPECT_EQ(expect_same_scaled(std::string(R"(
      opset 17;
      input x float[2, 3, 6];
      init v float[6, 4] random 1;
      init g float[4] {2, -1, 0.5, 30}; init b float[4] {0.5, -0.25, 1, 2};
      init w float[4, 5] random 2;
      c: s = MatMul(x, v);
      )") + step + R"(
      d: y = MatMul(a, w);
      output y;
    )"),
              4U);
  }
}

TEST(ScaleChannels, KnowsNormalizationsAndGainsThatKeepTheirScale) {
  for (const char* step :
       {"a = LayerNormalization(x, g2) {axis = 1};", "a = LayerNormalization(x, p);",
        "a = Mul(x, one);", "a = Mul(x, g2);", "a = Mul(x, p);"}) {
    SCOPED_TRACE(step);
    const Model model = text_model(std::string(R"(
      opset 17;
      input x float[2, 3, 4]; input p float[4];
      init one float[] {2}; init g2 float[3, 4] random 3; init w float[4, 5] random 2;
      s: )") + step + " d: y = MatMul(a, w); output y;");
    EXPECT_FALSE(takes_any_scale(Graph(model), model.graph().node(0)));
    const ScalableChannels channels = find_scalable_channels(model);
    EXPECT_TRUE(channels.layers.at(0).columns.empty());
  }
}

// The trunk meets a branch that keeps its scale.
TEST(ScaleChannels, RefusesABlockForOneOfItsBranches) {
  const Model model = text_model(R"(
    input x float[1, 4, 6, 6];
    init v float[4, 4, 1, 1] random 1;
    init w float[4, 4, 1, 1] random 2;
    c1: a = Conv(x, v) {kernel_shape = [1, 1]};
    q: g = Sigmoid(x);
    a1: d = Add(a, g);
    c4: y = Conv(d, w) {kernel_shape = [1, 1]};
    output y;
  )");
  const ScalableChannels channels = find_scalable_channels(model);
  EXPECT_EQ(free_classes(channels), 0U);
  EXPECT_THAT(channels.reasons.at(static_cast<std::size_t>(channels.layers[0].rows.at(0))),
              HasSubstr("Add 'a1' reads it"));
}

}  // namespace
}  // namespace ocs
