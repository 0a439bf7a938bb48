#include "ocs/lint/node_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/lint/forecast.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;

// Of the last node.
std::optional<std::int64_t> macs_of_last(const std::string& text) {
  const Model model = text_model(text);
  const WorkingGraph graph(model.graph(), {}, model.opset(), nullptr);
  return macs_of(known_shapes(graph), graph.steps().back());
}

TEST(NodeWork, OfAConvIsOutputsTimesTheWeightsOfOne) {
  EXPECT_EQ(macs_of_last(R"(input x float[5, 6, 9, 8]; init w float[4, 3, 3, 3] zeros;
      c: y = Conv(x, w) {group = 2, strides = [2, 1], pads = [1, 0, 1, 0]}; output y)"),
            4 * 5 * 6 * 3 * 9);
  // Through a pair, a pool, and a kernel that is not stated.
  EXPECT_EQ(macs_of_last(R"(input x float[N, 3, 8, 8]; init s float[] {0.1}; init z uint8[] {0};
      init w int8[4, 3, 3, 3] zeros; init v float[2, 4, 1, 1] zeros; init wz int8[] {0};
      q: xq = QuantizeLinear(x, s, z); d: xd = DequantizeLinear(xq, s, z); dw: wd = DequantizeLinear(w, s, wz);
      c: y = Conv(xd, wd); p: a = MaxPool(y) {kernel_shape = [2, 2], strides = [2, 2]}; e: b = Conv(a, v); output b)"),
            2 * 3 * 3 * 4);
}

TEST(NodeWork, OfAConvTransposeIsInputsTimesTheWeightsOfOne) {
  EXPECT_EQ(macs_of_last(R"(input x float[1, 3, 5, 5]; init w float[3, 4, 2, 2] zeros;
      c: y = ConvTranspose(x, w) {strides = [2, 2]}; output y)"),
            3 * 25 * 16);
}

TEST(NodeWork, OfAMatMulIsRowsOfAnItemTimesTheMatrix) {
  EXPECT_EQ(macs_of_last(
                "input x float[7, 12]; init w float[12, 5] zeros; m: y = MatMul(x, w); output y"),
            60);
  EXPECT_EQ(macs_of_last("input x float[N, 12]; init w float[5, 12] zeros; m: y = Gemm(x, w) "
                         "{transB = 1}; output y"),
            60);
  EXPECT_EQ(
      macs_of_last(
          "input x float[N, 6, 12]; init w float[12, 5] zeros; m: y = MatMul(x, w); output y"),
      360);
  EXPECT_EQ(
      macs_of_last(
          "input x float[N, 2, 6, 12]; input z float[N, 2, 12, 6]; m: y = MatMul(x, z); output y"),
      2 * 6 * 12 * 6);
}

TEST(NodeWork, IsNotKnownWhereExtentsAreFree) {
  EXPECT_EQ(
      macs_of_last(
          "input x float[1, 3, H, W]; init w float[4, 3, 1, 1] zeros; c: y = Conv(x, w); output y"),
      std::nullopt);
  EXPECT_EQ(macs_of_last("input x float[1, 3]; r: y = Relu(x); output y"), std::nullopt);
}

TEST(NodeWork, IsAddedUpInTheForecast) {
  const Model model = text_model(
      R"(input x float[1, 12]; init s float[] {0.1}; init z uint8[] {0}; init wz int8[] {0};
      init w int8[12, 5] zeros; init v float[5, 4] zeros;
      q: xq = QuantizeLinear(x, s, z); d: xd = DequantizeLinear(xq, s, z); dw: wd = DequantizeLinear(w, s, wz);
      one: a = MatMul(xd, wd); q1: aq = QuantizeLinear(a, s, z); d1: ad = DequantizeLinear(aq, s, z);
      two: y = MatMul(ad, v); output y)");
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  EXPECT_EQ(result.macs, 80);
  EXPECT_EQ(result.fused_macs, 60);
  EXPECT_EQ(result.nodes.at(1).macs, 20);
}

}  // namespace
}  // namespace ocs
