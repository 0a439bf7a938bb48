// Sums of 16 bits on processors without VNNI.
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/lint/forecast.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

// One MatMul [2] x [2, 1] with these two weights, which are neighbours in the kernel.
Model model_of(int a, int b, const std::string& levels = "uint8") {
  return text_model(
      fmt::format("ir 8; opset 14; input x float[1, 2]; init s float[] {{0.1}}; init z "
                  "{}[] {{0}}; init w int8[2, 1] {{{}, {}}}; "
                  "init wz int8[] {{0}}; q: i = QuantizeLinear(x, s, z); d: j = "
                  "DequantizeLinear(i, s, z); dw: v = "
                  "DequantizeLinear(w, s, wz); n: y = MatMul(j, v); output y;",
                  levels, a, b));
}

std::string warning_for(int a, int b, const std::string& target,
                        const std::string& levels = "uint8") {
  const LintForecast result = forecast(model_of(a, b, levels), lint_target(target));
  EXPECT_TRUE(result.nodes.at(0).is_fused());
  EXPECT_EQ(result.is_clean(), result.nodes.at(0).warning.empty());
  return result.nodes.at(0).warning;
}

TEST(Saturation, IsWarnedOfWhereTwoNeighboursOfOneSignExceedTheLimit) {
  EXPECT_EQ(warning_for(64, 64, "ort-cpu-avx2"), "");
  EXPECT_THAT(warning_for(64, 65, "ort-cpu-avx2"),
              HasSubstr("1 of 1 pairs of its weights add up to more than 128 (the most: 129)"));
  EXPECT_THAT(warning_for(-64, -65, "ort-cpu-avx2"), HasSubstr("1 of 1 pairs"));
  EXPECT_EQ(warning_for(127, -127, "ort-cpu-avx2"), "");
}

TEST(Saturation, IsNoMatterForProcessorsThatAddIn32Bits) {
  EXPECT_EQ(warning_for(127, 127, "ort-cpu"), "");
  EXPECT_EQ(warning_for(127, 127, "ort-cpu-vnni"), "");
}

TEST(Saturation, IsCountedForAProcessorThatMayBeOfEitherKind) {
  const auto saturating = [](const std::string& target) {
    return forecast(model_of(127, 127), lint_target(target)).saturating;
  };
  EXPECT_EQ(saturating("ort-cpu"), 1U);
  EXPECT_EQ(saturating("ort-cpu-vnni"), 0U);
  EXPECT_EQ(saturating("ort-cpu-avx2"), 0U);  // it is a warning there
  EXPECT_EQ(forecast(model_of(64, 64), lint_target("ort-cpu")).saturating, 0U);
}

TEST(Saturation, MeetsInt8DataOnceTheyAreUint8) {
  EXPECT_THAT(warning_for(127, 127, "ort-cpu-avx2", "int8"), HasSubstr("the most: 254"));
}

// As PyTorch and NNCF write weights: the engine computes the integers when it opens the model.
TEST(Saturation, IsOfTheIntegersThatTheEngineMakesOfFloatWeights) {
  const auto warning = [](const std::string& scale, const std::string& axis) {
    return forecast(text_model(fmt::format(
                        "ir 8; opset 14; input x float[1, 2]; init s float[] {{0.1}}; init z "
                        "uint8[] {{0}}; init w float[2, 2] {{3.25, 1, 3.26, -1}}; init ws float{}; "
                        "init wz int8{}; q: i = QuantizeLinear(x, s, z); d: j = "
                        "DequantizeLinear(i, s, z); qw: k = QuantizeLinear(w, ws, wz){}; dw: v = "
                        "DequantizeLinear(k, ws, wz){}; n: y = MatMul(j, v); output y;",
                        scale, axis.empty() ? "[] {0}" : "[2] zeros", axis, axis)),
                    lint_target("ort-cpu-avx2"))
        .nodes.at(0)
        .warning;
  };
  EXPECT_EQ(warning("[] {0.051}", ""), "");                                         // 64 + 64
  EXPECT_THAT(warning("[] {0.05}", ""), HasSubstr("1 of 2 pairs of its weights"));  // 65 + 65
  EXPECT_THAT(warning("[2] {0.05, 9}", " {axis = 1}"), HasSubstr("(the most: 130)"));
  EXPECT_EQ(warning("[2] {0.051, 9}", " {axis = 1}"), "");
  EXPECT_THAT(warning("[2] {0.02, 0.1}", " {axis = 0}"), HasSubstr("(the most: 160)"));
}

// Zero points too may differ from column to column.
TEST(Saturation, IsOfFloatWeightsWithAZeroPointForEachColumn) {
  const auto warning = [](const std::string& zero_points, const std::string& axis) {
    return forecast(
               text_model(fmt::format(
                   "ir 8; opset 14; input x float[1, 2]; init s float[] {{0.1}}; init z uint8[] "
                   "{{0}}; init w float[2, 2] {{60, 60, 60, 60}}; init ws float[2] {{1, 1}}; "
                   "init wz int8[2] {{{}}}; q: i = QuantizeLinear(x, s, z); d: j = "
                   "DequantizeLinear(i, s, z); qw: k = QuantizeLinear(w, ws, wz){}; dw: v = "
                   "DequantizeLinear(k, ws, wz){}; n: y = MatMul(j, v); output y;",
                   zero_points, axis, axis)),
               lint_target("ort-cpu-avx2"))
        .nodes.at(0)
        .warning;
  };
  EXPECT_EQ(warning("0, 0", ""), "");
  EXPECT_THAT(warning("0, 10", ""), HasSubstr("1 of 2 pairs of its weights"));  // axis 1
  EXPECT_THAT(warning("10, 10", " {axis = -1}"), HasSubstr("2 of 2 pairs of its weights"));
}

// The engine makes all of them -128, its zero point.
TEST(Saturation, IsOfFloatWeightsThatAreAllZero) {
  const Model model = text_model(R"(
    ir 8; opset 14; input x float[1, 16, 5, 5]; init s float[] {1}; init z uint8[] {0}; init w float[4, 16, 3, 3] zeros;
    q: i = QuantizeLinear(x, s, z); d: j = DequantizeLinear(i, s, z); n: c = Conv(j, w) {kernel_shape = [3, 3]};
    q2: k = QuantizeLinear(c, s, z); d2: y = DequantizeLinear(k, s, z); output y;
  )");
  EXPECT_THAT(forecast(model, lint_target("ort-cpu-avx2")).nodes.at(0).warning,
              HasSubstr("the most: 256"));
}

TEST(Saturation, IsOfFloatWeightsInTheGraphAroundABody) {
  const Model model = text_model(R"(
    ir 8; opset 14; input x float[1, 2]; input c bool[]; init s float[] {0.1}; init z uint8[] {0};
    init w float[2, 1] {100, 100}; init ws float[] {1}; init wz int8[] {0};
    qw: k = QuantizeLinear(w, ws, wz); q: i = QuantizeLinear(x, s, z);
    r = If(c) {then_branch = graph { d: j = DequantizeLinear(i, s, z); dw: v = DequantizeLinear(k, ws, wz); n: t = MatMul(j, v); output t; },
               else_branch = graph { e: u = Neg(w); output u; }};
    output r;
  )");
  std::string warning;
  for (const NodeForecast& node : forecast(model, lint_target("ort-cpu-avx2")).nodes)
    if (node.name == "n") warning = node.warning;
  EXPECT_THAT(warning, HasSubstr("the most: 200"));
}

TEST(Saturation, IsOfWhatIsStoredWhateverItsZeroPoint) {
  const Model model = text_model(R"(
    ir 8; opset 14; input x float[1, 2]; init s float[] {0.1}; init z uint8[] {0}; init w int8[2, 1] {100, 100};
    init wz int8[] {90}; q: i = QuantizeLinear(x, s, z); d: j = DequantizeLinear(i, s, z);
    dw: v = DequantizeLinear(w, s, wz); n: y = MatMul(j, v); output y;
  )");
  EXPECT_THAT(forecast(model, lint_target("ort-cpu-avx2")).nodes.at(0).warning,
              HasSubstr("the most: 200"));
}

}  // namespace
}  // namespace ocs
