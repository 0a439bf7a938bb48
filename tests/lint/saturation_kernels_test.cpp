// Kernels of uint8 data and int8 weights that need a model of their own, held against the engine like those of saturation_truth_test.cpp.
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lint/kernel_sums.h"
#include "ocs/lint/forecast.h"
#include "support/processor.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::Each;
using testing::HasSubstr;

// Attention over one position is its own value: the sums of the last third of the weights.
TEST(Saturation, IsOfInt8WeightsInAQAttention) {
  const auto text = [](const std::string& type) {
    return fmt::format(
        "ir 8; opset 14; opset com.microsoft 1; input x uint8[1, 1, 8]; init one float[] {{1}}; "
        "init xz uint8[] {{0}}; init wz {}[] {{0}}; init b float[12] zeros; init w {}[8, 12] "
        "{{{}}}; "
        "n: y = com.microsoft.QAttention(x, w, b, one, one, , xz, wz) {{num_heads = 1}}; output y;",
        type, type, fmt::join(std::vector<int>(96, 127), ", "));
  };
  const std::vector<std::int64_t> data(8, 255);
  const float exact = 8.0F * 255.0F * 127.0F;
  EXPECT_EQ(warning_of(text("uint8")), "");
  EXPECT_THAT(run(text("uint8"), {1, 1, 8}, data), Each(exact));
  EXPECT_THAT(warning_of(text("int8")), HasSubstr("48 of 48 pairs"));
  EXPECT_THAT(run(text("int8"), {1, 1, 8}, data),
              Each(adds_in_16_bits() ? 4.0F * 32767.0F : exact));
}

TEST(Saturation, IsSaidOnceForALayerOfSeveralNodes) {
  const std::string weight = constant("w", "int8", {4, 1}, {127, 127, 127, 127});
  const std::string dynamic =
      "ir 8; opset 14; input x float[1, 4]; init one float[] {1}; init wz int8[] {0};" + weight +
      "dq: q, s, z = DynamicQuantizeLinear(x); v: r = Reshape(q, shape); init shape int64[2] {1, "
      "4};"
      "n: i = MatMulInteger(r, w, z, wz); c: f = Cast(i) {to = 1}; t: k = Mul(s, one); m: g = "
      "Mul(f, "
      "k); init b float[1] {1}; a: y = Add(g, b); output y;";
  const std::string gemm =
      "ir 8; opset 14; input x uint8[1, 4]; init one float[] {1}; init xz uint8[] {0}; init wz "
      "int8[] {0};" +
      weight +
      "init b float[1] {1}; dx: f = DequantizeLinear(x, one, xz); dw: v = DequantizeLinear(w, one, "
      "wz); n: g = MatMul(f, v); a: y = Add(g, b); init s float[] {1024}; q: k = QuantizeLinear(y, "
      "s, "
      "xz); d: o = DequantizeLinear(k, s, xz); output o;";
  for (const std::string& text : {dynamic, gemm}) {
    EXPECT_NE(warning_of(text), "") << text;
    EXPECT_EQ(forecast(text_model(text), lint_target("ort-cpu-avx2")).warnings, 1U) << text;
  }
}

TEST(Saturation, IsOfAVectorToo) {
  const std::string text =
      "ir 8; opset 14; input x uint8[2, 4]; init w int8[4] {127, 127, 0, 127}; n: y = "
      "MatMulInteger(x, w); output y;";
  EXPECT_THAT(warning_of(text), HasSubstr("1 of 2 pairs"));
  const float exact = 3.0F * 255.0F * 127.0F;
  EXPECT_THAT(run(text, {2, 4}, std::vector<std::int64_t>(8, 255)),
              Each(adds_in_16_bits() ? 32767.0F + 255.0F * 127.0F : exact));
}

TEST(Saturation, IsOfInt8WeightsInAQLinearMatMul) {
  const std::string text =
      "ir 8; opset 14; input x uint8[1, 4]; init one float[] {1}; init xz uint8[] {0}; init wz "
      "int8[] {0}; init w int8[4, 1] {127, 127, 127, 127}; init s float[] {1024}; "
      "n: y = QLinearMatMul(x, one, xz, w, one, wz, s, xz); output y;";
  EXPECT_THAT(warning_of(text), HasSubstr("2 of 2 pairs"));
  const float exact = std::nearbyint(4.0F * 255.0F * 127.0F / 1024.0F);
  const float paired = std::nearbyint(2.0F * 32767.0F / 1024.0F);
  EXPECT_EQ(run(text, {1, 4}, {255, 255, 255, 255}),
            std::vector<float>{adds_in_16_bits() ? paired : exact});
}

TEST(Saturation, IsNoneWhereInt8DataOrConvIntegerAddIn32Bits) {
  const std::string head =
      "ir 8; opset 14; init w int8[2, 1] {-128, -128}; init v int8[1, 2, 1, 1] {-128, -128};";
  const std::string of_int8 =
      head + "input x int8[1, 2]; init xz int8[] {0}; n: y = MatMulInteger(x, w, xz); output y;";
  EXPECT_EQ(warning_of(of_int8), "");
  EXPECT_EQ(run(of_int8, {1, 2}, {-128, -128}, "int8"), std::vector<float>{32768.0F});
  const std::string conv = head + "input x uint8[1, 2, 1, 1]; n: y = ConvInteger(x, v); output y;";
  EXPECT_EQ(warning_of(conv), "");
  EXPECT_EQ(run(conv, {1, 2, 1, 1}, {255, 255}), std::vector<float>{-65280.0F});
}

// One step of a cell whose gates are all sigmoid(sum): wrong sums of int8 show in its result.
TEST(Saturation, IsOfInt8WeightsInADynamicallyQuantizedLstm) {
  const auto text = [](const std::string& type, int level) {
    return fmt::format(
        "ir 8; opset 14; opset com.microsoft 1; input x float[1, 1, 8]; init s float[1] {{{}}}; "
        "init z {}[1] {{0}}; init W {}[1, 8, 4] {{{}}}; "
        "init R {}[1, 1, 4] zeros; n: y, h, c = com.microsoft.DynamicQuantizeLSTM(x, W, R, , , , , "
        ", s, z, s, z) "
        "{{hidden_size = 1}}; output y;",
        1.0 / level, type, type, fmt::join(std::vector<int>(32, level), ", "), type);
  };
  EXPECT_EQ(warning_of(text("uint8", 255)), "");
  EXPECT_THAT(warning_of(text("int8", 127)), HasSubstr("16 of 16 pairs"));
  const std::vector<std::int64_t> ones(8, 1);
  const std::vector<float> exact = run(text("uint8", 255), {1, 1, 8}, ones, "float");
  const std::vector<float> paired = run(text("int8", 127), {1, 1, 8}, ones, "float");
  if (adds_in_16_bits()) {
    EXPECT_LT(paired[0], exact[0] - 1e-3F);
  } else {
    EXPECT_NEAR(paired[0], exact[0], 1e-6F);
  }
}

}  // namespace
}  // namespace ocs
