// The forecast on small models, each a form that engines are particular about, held against the engine's own optimized graph.
#include "ocs/lint/forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lint/engine_truth.h"
#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/passes/name_nodes.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

// Quantized data `d` of [1, 4, 8, 8], weights and constants for what follows.
const std::string head = R"(
  ir 8; opset 14;
  input x float[1, 4, 8, 8];
  init s float[] {0.1}; init t float[] {0.2}; init z uint8[] {0}; init m uint8[] {128};
  init i0 int8[] {0}; init i9 int8[] {-128}; init h uint16[] {0};
  init s1 float[1] {0.1}; init m1 uint8[1] {128};
  init w int8[4, 4, 3, 3] ones; init v float[] {0.01}; init vz int8[] {0};
  init f float[4, 4, 3, 3] ones; init fb float[4] {1, 2, 3, 4};
  init b int32[4] {1, 2, 3, 4}; init bs float[] {0.001}; init bz int32[] {0};
  init zero float[] {0}; init six float[] {6}; init many float[] {60};
  q: xq = QuantizeLinear(x, s, m); dx: d = DequantizeLinear(xq, s, m);
  dw: wd = DequantizeLinear(w, v, vz); db: bd = DequantizeLinear(b, bs, bz);
)";

struct Case {
  std::string name{};
  std::string text{};  // behind `head`
  std::string node{};  // whose verdict is looked at
  LintRule rule{};
  std::string reason{};  // a part of the sentence
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class Forms : public testing::TestWithParam<Case> {};

TEST_P(Forms, AreForecastAsTheEngineRunsThem) {
  const Model model = name_nodes(text_model(head + GetParam().text)).model;
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  const auto node = std::ranges::find(result.nodes, GetParam().node, &NodeForecast::name);
  ASSERT_NE(node, result.nodes.end());
  EXPECT_EQ(lint_rule(node->rule).name, lint_rule(GetParam().rule).name) << node->reason;
  EXPECT_THAT(node->reason, HasSubstr(GetParam().reason));
  expect_engine_agrees(model, lint_target("ort-cpu"));
}

const std::string conv = "conv: y = Conv(d, wd, bd) {pads = [1, 1, 1, 1]};";
const std::string pair_of_y =
    "q1: yq = QuantizeLinear(y, s, m); d1: yd = DequantizeLinear(yq, s, m);";
const std::string out = "output yd;";

INSTANTIATE_TEST_SUITE_P(
    Conv, Forms,
    testing::Values(
        Case{"Plain", conv + pair_of_y + out, "conv", LintRule::integer_kernel, ""},
        Case{"WithoutBias", "conv: y = Conv(d, wd);" + pair_of_y + out, "conv",
             LintRule::integer_kernel, ""},
        Case{"FloatBias", "conv: y = Conv(d, wd, fb);" + pair_of_y + out, "conv",
             LintRule::integer_kernel, ""},
        Case{"FloatBiasAndDataOfScaleOfShape1",
             "q9: k = QuantizeLinear(x, s1, m); d9: e = DequantizeLinear(k, s1, m); conv: y = "
             "Conv(e, wd, fb);" +
                 pair_of_y + out,
             "conv", LintRule::float_bias, "its form is not one that the engine quantizes"},
        Case{"FloatWeights", "conv: y = Conv(d, f, fb);" + pair_of_y + out, "conv",
             LintRule::integer_kernel, ""},
        Case{"ScaleOfShape1",
             "conv: y = Conv(d, wd, bd); q1: yq = QuantizeLinear(y, s1, m1); d1: yd = "
             "DequantizeLinear(yq, s1, m1);" +
                 out,
             "conv", LintRule::integer_kernel, ""},
        Case{"ReluOfZeroPoint0",
             conv +
                 "relu: r = Relu(y); q1: yq = QuantizeLinear(r, s, z); d1: yd = "
                 "DequantizeLinear(yq, s, z);" +
                 out,
             "conv", LintRule::integer_kernel, ""},
        Case{"ReluOfZeroPoint128",
             conv +
                 "relu: r = Relu(y); q1: yq = QuantizeLinear(r, s, m); d1: yd = "
                 "DequantizeLinear(yq, s, m);" +
                 out,
             "conv", LintRule::relu_zero_point,
             "Relu 'relu' behind it stays: the zero point of its "
             "QuantizeLinear is 128"},
        Case{"ClipOutsideTheGrid",
             conv +
                 "clip: r = Clip(y, zero, many); q1: yq = QuantizeLinear(r, s, z); d1: yd = "
                 "DequantizeLinear(yq, s, z);" +
                 out,
             "conv", LintRule::integer_kernel, ""},
        Case{"ClipLessThanHalfAStepInsideTheGrid",
             "init near float[] {25.46};" + conv +
                 "clip: r = Clip(y, zero, near); q1: yq = QuantizeLinear(r, s, z); d1: yd = "
                 "DequantizeLinear(yq, s, z);" +
                 out,
             "clip", LintRule::integer_kernel, ""},
        Case{"ClipInsideTheGrid",
             conv +
                 "clip: r = Clip(y, zero, six); q1: yq = QuantizeLinear(r, s, z); d1: yd = "
                 "DequantizeLinear(yq, s, z);" +
                 out,
             "conv", LintRule::clip_inside_grid, "Clip 'clip'"},
        Case{"ClipOnIntegers",
             conv +
                 "init lo uint8[] {0}; init hi uint8[] {15}; q1: yq = QuantizeLinear(y, s, m); "
                 "clip: c = Clip(yq, lo, hi); d1: yd = DequantizeLinear(c, s, m);" +
                 out,
             "conv", LintRule::integer_kernel, ""},
        Case{"LeakyReluBetween",
             conv +
                 "act: r = LeakyRelu(y); q1: yq = QuantizeLinear(r, s, m); d1: yd "
                 "= DequantizeLinear(yq, s, m);" +
                 out,
             "conv", LintRule::activation_between, "LeakyRelu 'act'"},
        Case{
            "SiluBetween",
            conv +
                "sig: g = Sigmoid(y); mul: r = Mul(y, g); q1: yq = QuantizeLinear(r, s, m); d1: yd "
                "= DequantizeLinear(yq, s, m);" +
                out,
            "conv", LintRule::activation_between, "x * Sigmoid(x)"},
        Case{"HardSwishBetween",
             conv +
                 "act: r = HardSwish(y); q1: yq = QuantizeLinear(r, s, m); d1: yd = "
                 "DequantizeLinear(yq, s, m);" +
                 out,
             "conv", LintRule::activation_between, "HardSwish 'act'"},
        Case{"PairAheadOfLeakyRelu",
             conv + pair_of_y +
                 "act: r = LeakyRelu(yd); q2: rq = QuantizeLinear(r, s, m); d2: rd = "
                 "DequantizeLinear(rq, s, m); output rd;",
             "act", LintRule::integer_kernel, ""},
        Case{"BatchNormBetween",
             conv +
                 "bn: n = BatchNormalization(y, fb, fb, fb, fb); relu: r = Relu(n); q1: yq = "
                 "QuantizeLinear(r, s, z); d1: yd = DequantizeLinear(yq, s, z);" +
                 out,
             "conv", LintRule::batchnorm_between, "BatchNormalization 'bn'"},
        Case{"PairBetweenConvAndRelu",
             conv + pair_of_y +
                 "relu: r = Relu(yd); q2: rq = QuantizeLinear(r, s, m); d2: rd = "
                 "DequantizeLinear(rq, s, m); output rd;",
             "relu", LintRule::relu_zero_point, "zero point of its QuantizeLinear is 128"},
        Case{"AlsoReadInFloat", conv + pair_of_y + "other: o = Relu(y); output yd; output o;",
             "conv", LintRule::several_readers, "also read in float, by Relu 'other'"},
        Case{"QuantizedTwice",
             conv + pair_of_y +
                 "q3: y3 = QuantizeLinear(y, t, m); d3: e = DequantizeLinear(y3, t, m); "
                 "output yd; output e;",
             "conv", LintRule::several_readers, "quantized 2 times"},
        Case{"LeavesInFloat", conv + "output y;", "conv", LintRule::graph_output, ""},
        Case{"AlsoLeavesInFloat", conv + pair_of_y + "output y; output yd;", "conv",
             LintRule::several_readers, "also leaves the graph"},
        Case{"FloatData", "conv: y = Conv(x, wd, bd);" + pair_of_y + out, "conv",
             LintRule::float_input, "'x'"},
        Case{"WeightsOnly", "conv: y = Conv(x, wd); output y;", "conv", LintRule::weights_only, ""},
        Case{"NotQuantized", "conv: y = Conv(x, f); output y; output d;", "conv",
             LintRule::not_quantized, ""},
        Case{"SixteenBits",
             "q9: k = com.microsoft.QuantizeLinear(x, s, h); d9: e = "
             "com.microsoft.DequantizeLinear(k, "
             "s, h); conv: y = Conv(e, wd); q1: yq = com.microsoft.QuantizeLinear(y, s, h); d1: yd "
             "= "
             "com.microsoft.DequantizeLinear(yq, s, h);" +
                 out,
             "conv", LintRule::sixteen_bits, "16 bits"},
        Case{"BiasOfAnotherScale",
             "init b9 float[] {0.002}; d9: e = DequantizeLinear(b, b9, bz); conv: y = Conv(d, wd, "
             "e);" +
                 pair_of_y + out,
             "conv", LintRule::bias_scale, "is 0.002, input scale * weight scale is 0.001"},
        Case{"BiasWithZeroPoint",
             "init b9 int32[] {3}; d9: e = DequantizeLinear(b, bs, b9); conv: y = Conv(d, wd, e);" +
                 pair_of_y + out,
             "conv", LintRule::bias_type, "zero point of its bias"},
        Case{"BiasOfInt8",
             "init b8 int8[4] ones; d8: e = DequantizeLinear(b8, bs, i0); conv: y = Conv(d, wd, "
             "e);" +
                 pair_of_y + out,
             "conv", LintRule::bias_type, "int8"},
        Case{"SignedOnBothSides",
             "q9: k = QuantizeLinear(x, s, i0); d9: e = DequantizeLinear(k, s, i0); conv: y = "
             "Conv(e, "
             "wd); q1: yq = QuantizeLinear(y, s, i0); d1: yd = DequantizeLinear(yq, s, i0);" +
                 out,
             "conv", LintRule::integer_kernel, ""},
        Case{"SignedAndReadTwice",
             "q9: k = QuantizeLinear(x, s, i0); d9: e = DequantizeLinear(k, s, i0); conv: y = "
             "Conv(e, "
             "wd); q1: yq = QuantizeLinear(y, s, i0); d1: yd = DequantizeLinear(yq, s, i0); other: "
             "o = "
             "Conv(e, wd); q2: oq = QuantizeLinear(o, s, i0); d2: od = DequantizeLinear(oq, s, i0);"
             "output yd; output od;",
             "conv", LintRule::mixed_types, "input is int8, its result uint8"},
        Case{"AnotherZeroPointInEachChannel",
             "init rs float[4] ones; init rz int8[4] {0, 1, 0, 3}; dr: rd = DequantizeLinear(w, "
             "rs, rz) {axis "
             "= 0}; conv: y = Conv(d, rd);" +
                 pair_of_y + out,
             "conv", LintRule::integer_kernel, ""},
        Case{"TransposeConv", "conv: y = ConvTranspose(d, wd);" + pair_of_y + out, "conv",
             LintRule::no_integer_kernel, "ConvTranspose"}),
    [](const auto& each) { return each.param.name; });

const std::string pair_of_other =
    "q8: pq = QuantizeLinear(x, t, m); d8: p = DequantizeLinear(pq, t, m);";

INSTANTIATE_TEST_SUITE_P(
    Others, Forms,
    testing::Values(
        Case{"Add", pair_of_other + "add: y = Add(d, p);" + pair_of_y + out, "add",
             LintRule::integer_kernel, ""},
        Case{"AddOfItself", "add: y = Add(d, d);" + pair_of_y + out, "add",
             LintRule::integer_kernel, ""},
        Case{"AddOfFloat", "add: y = Add(d, x);" + pair_of_y + out, "add", LintRule::float_input,
             "'x'"},
        Case{"AddOfConstant", "add: y = Add(d, six);" + pair_of_y + out, "add",
             LintRule::float_input, "a constant"},
        Case{"AddAndRelu",
             pair_of_other +
                 "add: y = Add(d, p); relu: r = Relu(y); q1: yq = QuantizeLinear(r, s, z); "
                 "d1: yd = DequantizeLinear(yq, s, z);" +
                 out,
             "add", LintRule::integer_kernel, ""},
        Case{"AddOfScaleOfShape1",
             "q8: pq = QuantizeLinear(x, s1, m); d8: p = DequantizeLinear(pq, s1, m); add: y = "
             "Add(d, p);" +
                 pair_of_y + out,
             "add", LintRule::scale_shape, "have shape [1]"},
        Case{"MulOfZeroPointOfShape1",
             "mul: y = Mul(d, d); q1: yq = QuantizeLinear(y, s, m1); d1: yd = DequantizeLinear(yq, "
             "s, m1);" +
                 out,
             "mul", LintRule::scale_shape, "'q1'"},
        Case{"GlobalAveragePoolOfScaleOfShape1",
             "pool: y = GlobalAveragePool(d); q1: yq = QuantizeLinear(y, s1, m1); d1: yd = "
             "DequantizeLinear(yq, "
             "s1, m1);" +
                 out,
             "pool", LintRule::integer_kernel, ""},
        Case{"Where", "input c bool[1]; where: y = Where(c, d, d);" + pair_of_y + out, "where",
             LintRule::integer_kernel, ""},
        Case{"ReduceMean", "mean: y = ReduceMean(d) {axes = [2, 3]};" + pair_of_y + out, "mean",
             LintRule::no_integer_kernel, "ReduceMean"},
        Case{"Concat", pair_of_other + "cat: y = Concat(d, p) {axis = 1};" + pair_of_y + out, "cat",
             LintRule::integer_kernel, ""},
        Case{"ConcatOfFloat", "cat: y = Concat(d, x) {axis = 1};" + pair_of_y + out, "cat",
             LintRule::float_input, "'x'"},
        Case{"MaxPool", "pool: y = MaxPool(d) {kernel_shape = [2, 2]};" + pair_of_y + out, "pool",
             LintRule::integer_kernel, ""},
        Case{"MaxPoolWithoutQuantize", "pool: y = MaxPool(d) {kernel_shape = [2, 2]}; output y;",
             "pool", LintRule::integer_kernel, ""},
        Case{"MaxPoolOfAnotherScale",
             "pool: y = MaxPool(d) {kernel_shape = [2, 2]}; q1: yq = QuantizeLinear(y, t, m); d1: "
             "yd = "
             "DequantizeLinear(yq, t, m);" +
                 out,
             "pool", LintRule::different_scales, "scale 0.1"},
        Case{"AveragePool", "pool: y = AveragePool(d) {kernel_shape = [2, 2]};" + pair_of_y + out,
             "pool", LintRule::integer_kernel, ""},
        Case{"AveragePoolOfAnotherScale",
             "pool: y = AveragePool(d) {kernel_shape = [2, 2]}; q1: yq = QuantizeLinear(y, t, m); "
             "d1: "
             "yd = DequantizeLinear(yq, t, m);" +
                 out,
             "pool", LintRule::integer_kernel, ""},
        Case{"GlobalAveragePool", "pool: y = GlobalAveragePool(d);" + pair_of_y + out, "pool",
             LintRule::integer_kernel, ""},
        Case{"GlobalAveragePoolWithoutQuantize", "pool: y = GlobalAveragePool(d); output y;",
             "pool", LintRule::graph_output, ""},
        Case{"GlobalMaxPool", "pool: y = GlobalMaxPool(d);" + pair_of_y + out, "pool",
             LintRule::no_integer_kernel, ""},
        Case{"Sigmoid", "act: y = Sigmoid(d);" + pair_of_y + out, "act", LintRule::integer_kernel,
             ""},
        Case{"HardSwish", "act: y = HardSwish(d);" + pair_of_y + out, "act",
             LintRule::no_integer_kernel, ""},
        Case{"Transpose", "move: y = Transpose(d) {perm = [0, 2, 3, 1]};" + pair_of_y + out, "move",
             LintRule::integer_kernel, ""},
        Case{"Split",
             "move: y, o = Split(d) {axis = 1};" + pair_of_y +
                 "q2: oq = QuantizeLinear(o, s, m); d2: od "
                 "= DequantizeLinear(oq, s, m); output yd; output od;",
             "move", LintRule::integer_kernel, ""},
        Case{"SplitOfAnotherScale",
             "move: y, o = Split(d) {axis = 1};" + pair_of_y +
                 "q2: oq = QuantizeLinear(o, t, m); d2: od "
                 "= DequantizeLinear(oq, t, m); output yd; output od;",
             "move", LintRule::different_scales, "'o'"}),
    [](const auto& each) { return each.param.name; });

TEST(Forecast, KnowsThatMaxPoolTakesIntegersFromOpset12On) {
  const std::string text = R"(
    ir 6; opset 11; input x float[1, 4, 8, 8]; init s float[] {0.1}; init m uint8[] {128};
    q: xq = QuantizeLinear(x, s, m); dx: d = DequantizeLinear(xq, s, m);
    pool: y = MaxPool(d) {kernel_shape = [2, 2]};
    q1: yq = QuantizeLinear(y, s, m); d1: yd = DequantizeLinear(yq, s, m); output yd;
  )";
  const Model model = text_model(text);
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  EXPECT_EQ(result.nodes.at(0).rule, LintRule::old_opset);
  expect_engine_agrees(model, lint_target("ort-cpu"));
}

TEST(Forecast, ListsWhatComputesAndNothingElse) {
  const Model model = text_model(R"(
    ir 8; opset 14; input x float[1, 4, 8, 8]; input ids int64[3]; init one int64[1] {1};
    init shape int64[2] {1, -1}; init table float[9, 4] ones;
    relu: r = Relu(x); flat: f = Reshape(r, shape); size: n = Shape(r); twice: k = Mul(n, one);
    next: i = Add(ids, one); look: g = Gather(table, i); output f; output k; output g;
  )");
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  EXPECT_THAT(result.nodes,
              ElementsAre(Field(&NodeForecast::name, "relu"), Field(&NodeForecast::name, "look")));
  EXPECT_FALSE(result.is_quantized);
  EXPECT_FALSE(result.is_clean());
}

TEST(Forecast, LooksIntoBodies) {
  const Model model = text_model(R"(
    ir 8; opset 14; input c bool[]; input x float[1, 4]; init s float[] {0.1}; init m uint8[] {128};
    r = If(c) {then_branch = graph {
        q: a = QuantizeLinear(x, s, m); d: b = DequantizeLinear(a, s, m); act: e = Sigmoid(b);
        q1: f = QuantizeLinear(e, s, m); d1: t = DequantizeLinear(f, s, m); output t; },
      else_branch = graph { neg: u = Neg(x); output u; }};
    output r;
  )");
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  ASSERT_EQ(result.nodes.size(), 2U);
  EXPECT_TRUE(result.nodes.at(0).is_fused()) << result.nodes.at(0).reason;
  EXPECT_EQ(result.nodes.at(1).rule, LintRule::no_integer_kernel);
}

TEST(Forecast, NamesATargetThatIsNear) {
  EXPECT_THAT([] { (void)lint_target("ort-cpo"); },
              testing::ThrowsMessage<Error>(HasSubstr("did you mean 'ort-cpu'?")));
}

// What the engine does not load, or not run.
class Refusals : public testing::TestWithParam<Case> {};

TEST_P(Refusals, AreForeseen) {
  const Model model = name_nodes(text_model(GetParam().text)).model;
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  EXPECT_FALSE(result.is_clean());
  if (GetParam().node.empty()) {
    EXPECT_THAT(result.refusal, HasSubstr(GetParam().reason));
  } else {
    const auto node = std::ranges::find(result.nodes, GetParam().node, &NodeForecast::name);
    ASSERT_NE(node, result.nodes.end());
    EXPECT_EQ(lint_rule(node->rule).name, lint_rule(LintRule::engine_refuses).name) << node->reason;
    EXPECT_THAT(node->reason, HasSubstr(GetParam().reason));
  }
  EXPECT_THROW((void)run_once(onnx_runtime()(model, {}), random_inputs(model, 1)), Error);
}

INSTANTIATE_TEST_SUITE_P(
    Models, Refusals,
    testing::Values(
        Case{.name = "AveragePoolOfScaleOfShape1",
             .text = head +
                     "pool: y = AveragePool(d) {kernel_shape = [2, 2]}; q1: yq = QuantizeLinear(y, "
                     "s1, m); "
                     "d1: yd = DequantizeLinear(yq, s1, m);" +
                     out,
             .node = "pool",
             .reason = "shape [1]"},
        Case{
            .name = "SixteenBitsBelowOpset21",
            .text = head +
                    "q9: k = QuantizeLinear(x, s, h); d9: e = DequantizeLinear(k, s, h); conv: y = "
                    "Conv(e, wd);" +
                    pair_of_y + out,
            .node = "conv",
            .reason = "16 bits, which takes opset 21; the model has 14"},
        Case{.name = "TooNew",
             .text = "ir 10; opset 28; input x float[1]; r: y = Relu(x); output y; d: z = "
                     "DequantizeLinear(w, s); init w int8[1] ones; init s float[] {1}; output z;",
             .reason = "opset 28"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace ocs
