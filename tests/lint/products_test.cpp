// MatMul and Gemm, with activations quantized and without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lint/engine_truth.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/passes/name_nodes.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

const std::string head = R"(
  ir 8; opset 14;
  input x float[2, 32];
  init s float[] {0.1}; init z uint8[] {0}; init m uint8[] {128}; init i0 int8[] {0};
  init w int8[32, 6] ones; init v float[] {0.01}; init vz int8[] {0};
  init r float[6] ones; init rz int8[6] zeros; init wt int8[6, 32] ones;
  init fb float[6] ones; init b int32[6] {100, 200, 300, 400, 500, 600}; init bs float[] {0.001}; init bz int32[] {0};
  q: xq = QuantizeLinear(x, s, m); dx: d = DequantizeLinear(xq, s, m);
  dw: wd = DequantizeLinear(w, v, vz); db: bd = DequantizeLinear(b, bs, bz);
  dr: rd = DequantizeLinear(w, r, rz) {axis = 1}; dt: td = DequantizeLinear(wt, v, vz);
  init w2 int8[32, 6] ones; init v2 float[] {0.02}; init w3 int8[32, 6] ones; init r3 float[6] {1, 2, 3, 4, 5, 6};
  d2: wd2 = DequantizeLinear(w2, v2, vz); d3: rd3 = DequantizeLinear(w3, r3, rz) {axis = 1};
)";
const std::string pair_of_y =
    "q1: yq = QuantizeLinear(y, s, m); d1: yd = DequantizeLinear(yq, s, m); output yd;";

const std::string wide =
    "init h uint16[] {3}; q9: k = com.microsoft.QuantizeLinear(x, s, h); d9: e = "
    "com.microsoft.DequantizeLinear(k, s, h);";

// A product of three axes, which the engine does not make a Gemm with its bias.
const std::string stacked = "input x3 float[1, words, 32]; mm: p = MatMul(x3, wd2);";
const std::string gelu_of_y =
    "init g2 float[] {1.4142135}; init g1 float[] {1}; init gh float[] {0.5}; o1: a = Div(y, g2); "
    "o2: e = Erf(a);"
    "o3: f = Add(e, g1); o4: h = Mul(y, f); o5: o = Mul(h, gh); output o;";
const std::string residual_of_y =
    "input x6 float[1, words, 6]; n: y = Add(p, fb); o: u = Add(y, x6);";
const std::string layer_norm_of_u =
    "init two float[] {2}; init eps float[] {0.00001}; init lw float[6] range; init lb float[6] "
    "{6, 5, 4, 3, 2, 1};"
    "l1: a = ReduceMean(u) {axes = [-1], keepdims = 1}; l2: e = Sub(u, a); l3: f = Pow(e, two);"
    "l4: h = ReduceMean(f) {axes = [-1], keepdims = 1}; l5: j = Add(h, eps); l6: k = Sqrt(j); l7: "
    "c = Div(e, k);"
    "l8: n1 = Mul(c, lw); l9: o = Add(n1, lb); output o;";

struct Case {
  std::string name{};
  std::string text{};
  LintRule rule{};  // of the node 'n'
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class Products : public testing::TestWithParam<Case> {};

TEST_P(Products, AreForecastAsTheEngineRunsThem) {
  const Model model = name_nodes(text_model(head + GetParam().text)).model;
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  const auto node = std::ranges::find(result.nodes, "n", &NodeForecast::name);
  ASSERT_NE(node, result.nodes.end());
  EXPECT_EQ(lint_rule(node->rule).name, lint_rule(GetParam().rule).name) << node->reason;
  expect_engine_agrees(model, lint_target("ort-cpu"));
}

INSTANTIATE_TEST_SUITE_P(
    MatMulAndGemm, Products,
    testing::Values(
        Case{"MatMul", "n: y = MatMul(d, wd);" + pair_of_y, LintRule::integer_kernel},
        Case{"MatMulWithoutQuantize", "n: y = MatMul(d, wd); output y;", LintRule::integer_kernel},
        Case{"MatMulPerColumn", "n: y = MatMul(d, rd);" + pair_of_y, LintRule::integer_kernel},
        Case{"MatMulOfFloatWeights", "init f float[32, 6] ones; n: y = MatMul(d, f);" + pair_of_y,
             LintRule::float_input},
        Case{"MatMulAlsoReadInFloat", "n: y = MatMul(d, wd); o: u = Exp(y); output u;" + pair_of_y,
             LintRule::several_readers},
        Case{"MatMulAndBias", "n: p = MatMul(d, wd); add: y = Add(p, fb);" + pair_of_y,
             LintRule::integer_kernel},
        Case{"MatMulAndBiasWithoutQuantize", "n: p = MatMul(d, wd); add: y = Add(p, fb); output y;",
             LintRule::float_bias},
        Case{"MatMulAndBiasOfInt8",
             "init b8 int8[6] ones; d8: e = DequantizeLinear(b8, v, vz); n: p = MatMul(d, wd); "
             "add: y = "
             "Add(p, e);" +
                 pair_of_y,
             LintRule::bias_type},
        Case{"WeightsOnlyMatMul", "n: y = MatMul(x, wd2); output y;", LintRule::integer_kernel},
        Case{"WeightsOnlyMatMulPerColumn", "n: y = MatMul(x, rd3); output y;",
             LintRule::integer_kernel},
        Case{"WeightsOnlyMatMulPerRow",
             "init w4 int8[32, 6] ones; init c float[32] ones; init cz int8[32] zeros; d7: e = "
             "DequantizeLinear(w4, c, cz) "
             "{axis = "
             "0}; n: y = MatMul(x, e); output y;",
             LintRule::nbits_form},
        Case{"WeightsOnlyGemm", "n: y = Gemm(x, wd2, fb); output y;", LintRule::integer_kernel},
        Case{"WeightsOnlyOfSharedWeights", "n: y = MatMul(x, wd); output y;", LintRule::nbits_form},
        Case{"WeightsOnlyOfTheSameScaleAsAnother",
             "init k float[] {0.02}; n: p = MatMul(x, wd2); o: y = Mul(p, k); output y;",
             LintRule::nbits_form},
        Case{"WeightsOnlyOfTheSameScalesAsAnother",
             "init r4 float[6] {1, 2, 3, 4, 5, 6}; n: p = MatMul(x, rd3); o: y = Mul(p, r4); "
             "output y;",
             LintRule::nbits_form},
        Case{"WeightsOnlyMatMulAndBias", "n: p = MatMul(x, wd2); a: y = Add(p, fb); output y;",
             LintRule::integer_kernel},
        Case{"BiasOfWeightsOnly", stacked + "n: y = Add(p, fb); output y;",
             LintRule::integer_kernel},
        Case{"BiasOfWeightsOnlyAheadOfIt", stacked + "n: y = Add(fb, p); output y;",
             LintRule::integer_kernel},
        Case{"BiasOfWeightsOnlyOfTwoAxes",
             stacked + "init f2 float[1, 6] ones; n: y = Add(p, f2); output y;",
             LintRule::not_quantized},
        Case{"BiasOfWeightsOnlyThatIsAnInput",
             stacked + "input u float[6]; n: y = Add(p, u); output y;", LintRule::integer_kernel},
        Case{"BiasOfWeightsOnlyReadTwice",
             stacked + "n: y = Add(p, fb); e: u = Exp(p); output y; output u;",
             LintRule::not_quantized},
        Case{"BiasOfWeightsOnlyAheadOfGelu", stacked + "n: y = Add(p, fb);" + gelu_of_y,
             LintRule::not_quantized},
        Case{"BiasOfWeightsOnlyAheadOfNoGelu",
             stacked + "init g3 float[] {3}; n: y = Add(p, fb); o1: a = Div(y, g3); o2: e = "
                       "Erf(a); o3: o = Mul(y, e); output o;",
             LintRule::integer_kernel},
        Case{"BiasOfWeightsOnlyAheadOfGeluThatLeavesToo",
             stacked + "n: y = Add(p, fb); output y;" + gelu_of_y, LintRule::integer_kernel},
        Case{"BiasOfWeightsOnlyThatIsComputed",
             stacked + "input u float[6]; eu: v9 = Exp(u); n: y = Add(p, v9); output y;",
             LintRule::integer_kernel},
        Case{"BiasOfWeightsOnlyAndAnAdd", stacked + residual_of_y + "output u;",
             LintRule::integer_kernel},
        Case{"BiasOfWeightsOnlyAheadOfLayerNorm",
             stacked + residual_of_y + "info y float[1, words, 6];" + layer_norm_of_u,
             LintRule::not_quantized},
        Case{"BiasOfWeightsOnlyAheadOfLayerNormOfOtherExtents",
             stacked + residual_of_y + "info y float[1, others, 6];" + layer_norm_of_u,
             LintRule::integer_kernel},
        Case{"WeightsOnlyGemmWithAlpha", "n: y = Gemm(x, wd2, fb) {alpha = 0.5}; output y;",
             LintRule::nbits_form},
        Case{"WeightsOnlyTransposedGemm", "n: y = Gemm(x, td, fb) {transB = 1}; output y;",
             LintRule::nbits_form},
        Case{"WeightsOnlyAndQuantize", "n: y = MatMul(x, wd);" + pair_of_y, LintRule::float_input},
        Case{"Gemm", "n: y = Gemm(d, wd, bd);" + pair_of_y, LintRule::integer_kernel},
        Case{"GemmWithoutQuantize", "n: y = Gemm(d, wd, bd); output y;", LintRule::integer_kernel},
        Case{"TransposedGemm", "n: y = Gemm(d, td, bd) {transB = 1};" + pair_of_y,
             LintRule::integer_kernel},
        Case{"GemmOfFloatBias", "n: y = Gemm(d, wd, fb);" + pair_of_y, LintRule::integer_kernel},
        Case{"GemmOfFloatBiasWithoutQuantize", "n: y = Gemm(d, wd, fb); output y;",
             LintRule::float_bias},
        Case{"GemmWithBeta", "n: y = Gemm(d, wd, bd) {beta = 0.5};" + pair_of_y,
             LintRule::gemm_form},
        Case{"GemmWithAlpha", "n: y = Gemm(d, wd, bd) {alpha = 0.5};" + pair_of_y,
             LintRule::gemm_form},
        Case{"GemmWithAlphaWithoutBias", "n: y = Gemm(d, wd) {alpha = 0.5};" + pair_of_y,
             LintRule::integer_kernel},
        Case{"MatMulAndReluReadInFloat",
             "n: y = MatMul(d, wd); relu: k = Relu(y); e: o = Exp(k); output o;",
             LintRule::clamp_behind},
        Case{"MatMulAndReluThatLeaves", "n: y = MatMul(d, wd); relu: k = Relu(y); output k;",
             LintRule::integer_kernel},
        Case{"GemmAndReluOfZeroPoint128", "n: p = Gemm(d, wd, bd); relu: y = Relu(p);" + pair_of_y,
             LintRule::relu_zero_point},
        Case{"WeightsOnlyMatMulAndRelu",
             "n: y = MatMul(x, wd2); relu: k = Relu(y); e: o = Exp(k); output o;",
             LintRule::clamp_behind},
        Case{"GemmOfSixteenBits", wide + "n: y = Gemm(e, wd2, fb); output y;",
             LintRule::integer_kernel},
        Case{"MatMulOfSixteenBitsAndQuantize",
             wide +
                 "n: y = MatMul(e, wd2); q1: yq = com.microsoft.QuantizeLinear(y, s, h); d1: yd = "
                 "com.microsoft.DequantizeLinear(yq, s, h); output yd;",
             LintRule::integer_kernel},
        Case{"MatMulOfSixteenBitsAndRelu",
             wide + "n: y = MatMul(e, wd2); relu: u = Relu(y); q1: yq = "
                    "com.microsoft.QuantizeLinear(u, s, h); d1: yd = "
                    "com.microsoft.DequantizeLinear(yq, s, h); output yd;",
             LintRule::relu_zero_point},
        Case{"SignedGemm",
             "q9: k = QuantizeLinear(x, s, i0); d9: e = DequantizeLinear(k, s, i0); n: y = Gemm(e, "
             "wd); "
             "q1: yq = QuantizeLinear(y, s, i0); d1: yd = DequantizeLinear(yq, s, i0); output yd;",
             LintRule::integer_kernel},
        Case{"SignedMatMulReadTwice",
             "q9: k = QuantizeLinear(x, s, i0); d9: e = DequantizeLinear(k, s, i0); n: y = "
             "MatMul(e, wd);"
             "o: u = MatMul(e, wd); output y; output u;",
             LintRule::signed_activations}),
    [](const auto& each) { return each.param.name; });

// No rule of the engine: it adds the bias as it stands.
TEST(Forecast, WarnsOfABiasOfGemmThatIsAddedInAnotherScale) {
  const Model model = text_model(
      head +
      "init b9 float[] {0.004}; d9: e = DequantizeLinear(b, b9, bz); n: y = Gemm(d, wd, e);" +
      pair_of_y);
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  ASSERT_EQ(result.nodes.size(), 1U);
  EXPECT_TRUE(result.nodes.front().is_fused());
  EXPECT_THAT(result.nodes.front().warning,
              testing::HasSubstr("is 0.004, input scale * weight scale is 0.001"));
  EXPECT_FALSE(result.is_clean());
  const NamedTensors input = random_inputs(model, 1);
  EXPECT_NE(run_once(onnx_runtime()(model, {}), input),
            run_once(onnx_runtime()(model, {.optimize = false}), input));
}

}  // namespace
}  // namespace ocs
