#include "ocs/lint/time_nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::Eq;
using testing::Optional;
using testing::Pair;

Model network() {
  return text_model(R"(
    opset 17; input x float[1, 8, 16, 16]; init w float[8, 8, 3, 3] random 1; init s float[] {0.1}; init m uint8[] {128};
    conv: a = Conv(x, w) {kernel_shape = [3, 3]}; relu: b = Relu(a); q: i = QuantizeLinear(b, s, m); d: c = DequantizeLinear(i, s, m);
    pool: p = MaxPool(c) {kernel_shape = [2, 2]}; q1: pi = QuantizeLinear(p, s, m); d1: pd = DequantizeLinear(pi, s, m);
    mul: e = Mul(pd, s); output e;
  )");
}

NodeTimes times_of(const Model& model, const std::vector<KernelTime>& kernels) {
  return time_nodes(model, forecast(model, lint_target("ort-cpu")), kernels);
}

// Nodes: conv, relu, pool, mul.
TEST(NodeTimes, GoToTheNodesThatKernelsStandFor) {
  const NodeTimes times = times_of(network(), {{"b_nchwc", "Conv", 4.0},
                                               {"q", "QuantizeLinear", 0.5},
                                               {"d1", "DequantizeLinear", 0.75},
                                               {"pool_token_12", "NhwcMaxPool", 2.0},
                                               {"mul", "Mul", 1.0},
                                               {"ReorderOutput_token_3", "ReorderOutput", 0.25}});
  EXPECT_THAT(times.nodes, ElementsAre(Optional(DoubleEq(4.0)), Eq(std::nullopt),
                                       Optional(DoubleEq(2.0)), Optional(DoubleEq(1.0))));
  EXPECT_DOUBLE_EQ(times.integers, 2.0);
  EXPECT_DOUBLE_EQ(times.floats, 5.0);
  EXPECT_DOUBLE_EQ(times.conversion_ms(), 1.25);
  EXPECT_EQ(times.conversions.front().name, "d1");
  EXPECT_THAT(times.others, ElementsAre(Pair("ReorderOutput", DoubleEq(0.25))));
  EXPECT_DOUBLE_EQ(times.run, 8.5);
}

// The engine calls a node that it puts in "Transpose_token_0".
TEST(NodeTimes, OfNodesThatTheEnginePutsInAreOthers) {
  const Model model =
      text_model("opset 17; input x float[2, 2]; Transpose: y = Transpose(x); output y;");
  const NodeTimes times =
      times_of(model, {{"Transpose_token_0", "Transpose", 1.0}, {"Transpose", "Transpose", 2.0}});
  EXPECT_THAT(times.nodes, ElementsAre(Optional(DoubleEq(2.0))));
  EXPECT_THAT(times.others, ElementsAre(Pair("Transpose", DoubleEq(1.0))));
}

// ... and a BatchNormalization behind an Add that it makes a Conv in its layout "VALUE_bn_nchwc".
TEST(NodeTimes, OfABatchNormalizationThatBecomesAConvAreItsOwn) {
  const Model model = text_model(R"(
    opset 17; input x float[1, 8, 16, 16]; init w float[8, 8, 3, 3] random 1; init g float[8] ones;
    conv: a = Conv(x, w) {kernel_shape = [3, 3], pads = [1, 1, 1, 1]}; add: b = Add(a, x); bn: c = BatchNormalization(b, g, g, g, g); output c;
  )");
  EXPECT_THAT(times_of(model, {{"c_bn_nchwc", "Conv", 1.0}}).nodes,
              ElementsAre(Eq(std::nullopt), Eq(std::nullopt), Optional(DoubleEq(1.0))));
}

TEST(NodeTimes, OfUnknownKernelsAreOthers) {
  const NodeTimes times = times_of(network(), {{"BiasGelu_token_x", "BiasGelu", 1.0}});
  EXPECT_THAT(times.others, ElementsAre(Pair("BiasGelu", DoubleEq(1.0))));
}

TEST(NodeTimes, AreKnownOfKernelsInBlockedLayoutsAndOfIntegers) {
  const Model model = network();
  const NodeTimes times = times_of(
      model, kernel_times(onnx_runtime(), model, {}, random_inputs(model, 1), {.runs = 3}));
  EXPECT_TRUE(times.nodes.at(0).has_value());  // the Conv, one with its Relu
  EXPECT_TRUE(times.nodes.at(2).has_value());  // the pool of integers
  EXPECT_THAT(times.others, testing::Not(testing::Contains(Pair("Conv", testing::_))));
}

}  // namespace
}  // namespace ocs
