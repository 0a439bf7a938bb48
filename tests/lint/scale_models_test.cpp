// Single models whose scales or zero points an engine and ONNX take for different things.
#include <string>

#include <gtest/gtest.h>

#include "lint/scale_outcome.h"

namespace ocs {
namespace {

// What stands in front of a model of one layer, with names and shapes of the tests below.
const std::string head =
    "ir 10; opset 21; init s float[] {0.05}; init m uint8[] {100}; init t float[] {2};\n";
const std::string quantized_x =
    "q: xq = QuantizeLinear(x, s, m); d: xd = DequantizeLinear(xq, s, m);\n";
const std::string quantized_y =
    "q1: yq = QuantizeLinear(y, t, m); d1: z = DequantizeLinear(yq, t, m); output z;";

struct ScaleModel {
  std::string name{};
  std::string text{};
};

void PrintTo(const ScaleModel& each, std::ostream* out) { *out << each.name; }

class ScaleModels : public testing::TestWithParam<ScaleModel> {};

TEST_P(ScaleModels, AreForeseen) { expect_foreseen(GetParam().text); }

// Scales and zero points of a vector that is multiplied, one for each element.
std::string product_with_vector(bool is_quantized_behind) {
  return head + "input x float[4, 8];" + scale_init("ws", {8}) + zero_init("wz", "int8", {8}, 0) +
         "init w int8[8] ones;" + quantized_x +
         "dw: wd = DequantizeLinear(w, ws, wz) {axis = 0}; layer: y = MatMul(xd, wd);\n" +
         (is_quantized_behind ? quantized_y : "output y;");
}

std::string conv_along(const std::string& axis, const std::string& scales,
                       const std::string& zeros) {
  return head + "input x float[1, 8, 3, 3]; init w int8[8, 8, 1, 1] range; init ws float[8] " +
         scales + "; init wz int8[8] " + zeros + ";" + quantized_x +
         "dw: wd = DequantizeLinear(w, ws, wz) {axis = " + axis +
         "}; layer: y = Conv(xd, wd) {kernel_shape = [1, 1]};" + quantized_y;
}

// Four blocks without zero points, for which a kernel takes the rows of its result.
std::string product_of_blocks(int rows) {
  return head + "input x float[" + std::to_string(rows) + ", 32];" + weight_init("w", {32, 8}) +
         scale_init("ws", {4, 8}) + quantized_x +
         "dw: wd = DequantizeLinear(w, ws) {axis = 0, block_size = 8}; layer: y = MatMul(xd, wd); "
         "output y;";
}

// Of float16: data, scales and results.
std::string half_of(const std::string& layer, const std::string& weights,
                    const std::string& shape) {
  return "ir 10; opset 21; init s float16[] {0.5}; init m uint8[] {100}; input x float16[" + shape +
         "];" + weights + quantized_x + layer +
         "q1: yq = QuantizeLinear(y, s, m); d1: z = DequantizeLinear(yq, s, m); c: o = Cast(z) {to "
         "= 1}; output o;";
}

const std::string half_scales = "init ws float16[8] {1, 0.5, 0.25, 1, 2, 0.5, 1, 0.25};";

INSTANTIATE_TEST_SUITE_P(
    Models, ScaleModels,
    testing::Values(
        ScaleModel{"ProductWithAVector", product_with_vector(true)},
        ScaleModel{"ProductWithAVectorToFloat", product_with_vector(false)},
        ScaleModel{"BlocksAndOneRow", product_of_blocks(1)},
        ScaleModel{"BlocksAndTwoRows", product_of_blocks(2)},
        ScaleModel{"BlocksAndAsManyRows", product_of_blocks(4)},
        ScaleModel{"EqualScalesAlongAnotherAxis",
                   conv_along("1", "{1, 1, 1, 1, 1, 1, 1, 1}", "zeros")},
        ScaleModel{"OtherScalesAlongAnotherAxis",
                   conv_along("1", "{1, 2, 1, 1, 1, 1, 1, 9}", "zeros")},
        ScaleModel{"OtherZeroPointsAlongAnotherAxis",
                   conv_along("1", "{1, 1, 1, 1, 1, 1, 1, 1}", "{0, 50, 0, 0, -70, 0, 0, 0}")},
        ScaleModel{"AnAxisThatIsNone", conv_along("7", "{1, 2, 1, 1, 1, 1, 1, 9}", "zeros")},
        ScaleModel{"HalfConv",
                   half_of("dw: wd = DequantizeLinear(w, ws) {axis = 1}; layer: y = Conv(xd, wd) "
                           "{kernel_shape = [1, 1]};",
                           "init w int8[4, 8, 1, 1] ones;" + half_scales, "1, 8, 3, 3")},
        ScaleModel{
            "HalfMatMul",
            half_of("dw: wd = DequantizeLinear(w, ws) {axis = 1}; layer: y = MatMul(xd, wd);",
                    "init w int8[12, 8] ones;" + half_scales, "2, 12")},
        ScaleModel{"HalfRelu", half_of("layer: y = Relu(xd);", "", "1, 8")},
        // The same DequantizeLinear in front of an integer kernel, which takes its scales, and of a node that does not.
        ScaleModel{"SharedWithAFloatNode",
                   head + "input x float[4, 12]; init w int8[12, 8] ones;" +
                       scale_init("ws", {1, 8}) + zero_init("wz", "int8", {1, 8}, 0) + quantized_x +
                       "dw: wd = DequantizeLinear(w, ws, wz); layer: y = MatMul(xd, wd); r: u = "
                       "Relu(wd); output y; output u;"},
        // Tools leave shapes behind that do not hold.
        ScaleModel{"StatedShapeThatIsWrong",
                   head + "input x float[1, 8, 3, 3]; info e float[1, 16, 3, 3];" +
                       scale_init("ws", {8}) + zero_init("wz", "uint8", {8}, 3) + quantized_x +
                       "exp: e = Exp(xd); q2: eq = QuantizeLinear(e, ws, wz); d2: z = "
                       "DequantizeLinear(eq, ws, wz); output z;"},
        ScaleModel{
            "WeightsOfTheGraphAroundABody",
            head + "input x float[1, 12, 3, 3]; init k bool[] {1}; init w int8[8, 12, 1, 1] ones;" +
                scale_init("ws", {12}) + zero_init("wz", "int8", {12}, 0) +
                "r = If(k) {then_branch = graph { " + quantized_x +
                "dw: wd = DequantizeLinear(w, ws, wz) {axis = 1}; layer: y = Conv(xd, wd) "
                "{kernel_shape = [1, 1]}; q1: yq = QuantizeLinear(y, t, m); d1: b = "
                "DequantizeLinear(yq, t, m); output b; }, else_branch = graph { neg: n = Neg(x); "
                "output n; }}; output r;"},
        ScaleModel{
            "NoZeroPointBehindAChoice",
            head + "input x float[1, 8, 3, 3]; init k bool[] {1}; init w int8[4, 8, 1, 1] ones; q: "
                   "xq = "
                   "QuantizeLinear(x, s); v: xv = Where(k, xq, xq); d: xd = "
                   "DequantizeLinear(xv, s); dw: wd = DequantizeLinear(w, s); layer: y = "
                   "Conv(xd, wd) {kernel_shape = [1, 1]}; q1: yq = QuantizeLinear(y, t); d1: z = "
                   "DequantizeLinear(yq, t); output z;"},
        ScaleModel{"NoZeroPointOfTransposedWeights",
                   head + "input x float[4, 12]; init w int8[8, 12] ones;" + quantized_x +
                       "dw: wd = DequantizeLinear(w, s); tr: wt = Transpose(wd) {perm = [1, 0]}; "
                       "layer: y = "
                       "Gemm(xd, wt);" +
                       quantized_y}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace ocs
