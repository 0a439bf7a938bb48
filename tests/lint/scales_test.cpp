// Scales and zero points of every number, shape and axis, held against what the engine really makes of them: refused, in float, on
// integers, or on integers and wrong.
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lint/scale_outcome.h"
#include "ocs/lint/forecast.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

struct Layer {
  std::string name{};
  std::string op{};
  std::string attributes{};
  bool is_conv = false;
  bool is_transposed = false;  // [outputs, inputs]
  bool is_quantized_behind = true;
  bool is_batched = false;  // two matrices of weights
};

void PrintTo(const Layer& layer, std::ostream* out) { *out << layer.name; }

class WeightScales : public testing::TestWithParam<Layer> {
 protected:
  static constexpr std::int64_t outputs = 8;

  // `scales`, `zero_points`: their text with a semicolon, and how the node names them.
  static std::string text(std::int64_t inputs, const Shape& scales,
                          const std::optional<Shape>& zero_points, std::string_view attributes) {
    const Layer& layer = GetParam();
    Shape weight =
        layer.is_transposed || layer.is_conv ? Shape{outputs, inputs} : Shape{inputs, outputs};
    if (layer.is_conv) weight.insert(weight.end(), {1, 1});
    if (layer.is_batched) weight.insert(weight.begin(), 2);
    const std::string zeros = zero_points ? zero_init("wz", "int8", *zero_points, -3) : "";
    return fmt::format(
        "ir 10; opset 21; input x float[{}]; init s float[] {{0.05}}; init m uint8[] {{128}};\n"
        "init t float[] {{0.02}};\n{}{}{}"
        "q: xq = QuantizeLinear(x, s, m); d: xd = DequantizeLinear(xq, s, m);\n"
        "dw: wd = DequantizeLinear(w, ws{}) {{{}}};\nlayer: y = {}(xd, wd) {{{}}};\n{}",
        layer.is_conv ? fmt::format("1, {}, 3, 3", inputs)
        // Not as many rows as blocks: a kernel would take the scales for those of its rows.
        : layer.is_batched ? fmt::format("2, 7, {}", inputs)
                           : fmt::format("7, {}", inputs),
        weight_init("w", weight), scale_init("ws", scales), zeros, zero_points ? ", wz" : "",
        attributes, layer.op, layer.attributes,
        layer.is_quantized_behind
            ? "q1: yq = QuantizeLinear(y, t, m); d1: z = DequantizeLinear(yq, t, m); output z;"
            : "output y;");
  }
};

TEST_P(WeightScales, OfEveryShapeAreForeseen) {
  const std::vector<Shape> scales{{}, {1}, {outputs}, {12}, {7}, {1, outputs}};
  const std::vector<std::optional<Shape>> zero_points{
      std::nullopt, Shape{}, Shape{1}, Shape{outputs}, Shape{12}, Shape{7}, Shape{1, outputs}};
  for (const std::int64_t inputs : {std::int64_t{8}, std::int64_t{12}})
    for (const Shape& scale : scales)
      for (const std::optional<Shape>& zeros : zero_points)
        for (const int axis : {0, 1, -1})
          expect_foreseen(text(inputs, scale, zeros, fmt::format("axis = {}", axis)));
}

TEST_P(WeightScales, InBlocksAreForeseen) {
  constexpr std::int64_t inputs = 32;
  const bool rows = GetParam().is_transposed || GetParam().is_conv;
  for (const std::int64_t block : {std::int64_t{8}, std::int64_t{16}, std::int64_t{32}})
    for (const std::int64_t blocks : {inputs / block, inputs / block + 1}) {
      Shape shape = rows ? Shape{outputs, blocks} : Shape{blocks, outputs};
      if (GetParam().is_conv) shape.insert(shape.end(), {1, 1});
      if (GetParam().is_batched) shape.insert(shape.begin(), 2);
      const int axis = GetParam().is_batched ? 1 : rows ? 1 : 0;
      for (const std::optional<Shape>& zeros : {std::optional<Shape>(), std::optional(shape)})
        expect_foreseen(
            text(inputs, shape, zeros, fmt::format("axis = {}, block_size = {}", axis, block)));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Layers, WeightScales,
    testing::Values(
        Layer{.name = "Conv", .op = "Conv", .attributes = "kernel_shape = [1, 1]", .is_conv = true},
        Layer{.name = "ConvToFloat",
              .op = "Conv",
              .attributes = "kernel_shape = [1, 1]",
              .is_conv = true,
              .is_quantized_behind = false},
        Layer{.name = "MatMul", .op = "MatMul"},
        Layer{.name = "MatMulToFloat", .op = "MatMul", .is_quantized_behind = false},
        Layer{.name = "MatMulOfBatch", .op = "MatMul", .is_batched = true},
        Layer{.name = "MatMulOfBatchToFloat",
              .op = "MatMul",
              .is_quantized_behind = false,
              .is_batched = true},
        Layer{.name = "Gemm", .op = "Gemm"},
        Layer{.name = "GemmToFloat", .op = "Gemm", .is_quantized_behind = false},
        Layer{.name = "GemmTransposed",
              .op = "Gemm",
              .attributes = "transB = 1",
              .is_transposed = true},
        Layer{.name = "GemmTransposedToFloat",
              .op = "Gemm",
              .attributes = "transB = 1",
              .is_transposed = true,
              .is_quantized_behind = false}),
    [](const auto& each) { return each.param.name; });

// One operator between pairs whose scales and zero points have these shapes.
struct Data {
  std::string op{};
  std::string attributes{};
  std::string weight{};  // its extents
  bool is_matrix = false;
  bool has_second = false;  // reads another value with one scale
  bool is_choice = false;   // behind a condition
};

void PrintTo(const Data& data, std::ostream* out) { *out << data.op; }

class DataScales : public testing::TestWithParam<Data> {};

TEST_P(DataScales, OfEveryShapeAreForeseen) {
  const Data& data = GetParam();
  const std::string weight = data.weight.empty()
                                 ? ""
                                 : fmt::format(
                                       "init w int8[{}] ones; init ws float[] {{0.05}}; init wz "
                                       "int8[] {{0}}; dw: wd = DequantizeLinear(w, ws, wz);\n",
                                       data.weight);
  const std::string condition = data.is_choice ? "init c bool[] {1};\n" : "";
  const std::string second = data.has_second
                                 ? "init u float[] {0.05}; q2: x2 = QuantizeLinear(x, u, m); d2: "
                                   "xe = DequantizeLinear(x2, u, m);\n"
                                 : "";
  const auto pair = [](std::string_view from, std::string_view to, std::string_view scale,
                       std::string_view zero) {
    return fmt::format(
        "q{0}: {1}q = QuantizeLinear({0}, {2}{3}); d{0}: {1} = DequantizeLinear({1}q, {2}{3});\n",
        from, to, scale, zero.empty() ? "" : fmt::format(", {}", zero));
  };
  const std::vector<std::optional<Shape>> zero_points{std::nullopt, Shape{}, Shape{1}, Shape{8}};
  const std::string matrix = data.is_matrix ? "4, 8" : "1, 8, 4, 4";
  for (const bool is_result : {false, true})
    for (const Shape& scale : {Shape{}, Shape{1}, Shape{8}, Shape{7}})
      for (const std::optional<Shape>& zeros : zero_points) {
        const std::string zero = zeros ? zero_init("pz", "uint8", *zeros, 100) : "";
        const std::string named = zeros ? "pz" : "";
        expect_foreseen(
            fmt::format("ir 10; opset 21; input x float[{}]; init s float[] {{0.05}}; init m "
                        "uint8[] {{100}};\n{}{}{}{}{}{}node: y = {}({}xd{}{}) {{{}}};\n{}output z;",
                        matrix, condition, weight, second, scale_init("ps", scale), zero,
                        pair("x", "xd", is_result ? "s" : "ps", is_result ? "m" : named), data.op,
                        data.is_choice ? "c, " : "", data.weight.empty() ? "" : ", wd",
                        data.has_second ? ", xe" : "", data.attributes,
                        pair("y", "z", is_result ? "ps" : "s", is_result ? named : "m")));
      }
}

INSTANTIATE_TEST_SUITE_P(
    Operators, DataScales,
    testing::Values(
        Data{.op = "Conv", .attributes = "kernel_shape = [1, 1]", .weight = "8, 8, 1, 1"},
        Data{.op = "MatMul", .weight = "8, 8", .is_matrix = true},
        Data{.op = "Gemm", .weight = "8, 8", .is_matrix = true},
        Data{.op = "Add", .has_second = true}, Data{.op = "Mul", .has_second = true},
        Data{.op = "AveragePool", .attributes = "kernel_shape = [2, 2]"},
        Data{.op = "GlobalAveragePool"}, Data{.op = "LeakyRelu"}, Data{.op = "Sigmoid"},
        Data{.op = "Softmax"}, Data{.op = "Relu"}, Data{.op = "Exp"},
        Data{.op = "MaxPool", .attributes = "kernel_shape = [2, 2]"},
        Data{.op = "Transpose", .attributes = "perm = [0, 1, 3, 2]"},
        Data{.op = "Concat", .attributes = "axis = 2", .has_second = true},
        Data{.op = "Where", .has_second = true, .is_choice = true}),
    [](const auto& each) { return each.param.op; });

TEST(MisfitScales, AreNamedWithTheirShapes) {
  const Model model = text_model(R"(
    ir 8; opset 14; input x float[1, 4, 2, 2]; init s float[] {0.1}; init m uint8[] {0}; init w int8[8, 4, 1, 1] ones;
    init ws float[7] ones; init wz int8[7] zeros; q: xq = QuantizeLinear(x, s, m); d: xd = DequantizeLinear(xq, s, m);
    dw: wd = DequantizeLinear(w, ws, wz) {axis = 0}; conv: y = Conv(xd, wd) {kernel_shape = [1, 1]};
    q1: yq = QuantizeLinear(y, s, m); d1: z = DequantizeLinear(yq, s, m); output z;
  )");
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  EXPECT_THAT(result.nodes.at(0).reason, HasSubstr("its weights have scales of shape [7]"));
  const std::string other = forecast(model, lint_target("tensorrt")).refusal;
  EXPECT_THAT(other, HasSubstr("'dw' has scales of shape [7]"));
  EXPECT_THAT(other, HasSubstr("data of shape [8,4,1,1]: one for each index of axis 0 is asked"));
}

struct QOperatorCase {
  std::string name{};
  std::string text{};  // "N" stands for the shape of scale and zero point
  bool is_matrix = true;
};

void PrintTo(const QOperatorCase& each, std::ostream* out) { *out << each.name; }

class QOperatorScales : public testing::TestWithParam<QOperatorCase> {};

TEST_P(QOperatorScales, OfEveryShapeAreForeseen) {
  for (const Shape& scale : {Shape{}, Shape{1}, Shape{8}, Shape{7}, Shape{1, 8}})
    for (const Shape& zeros : {Shape{}, Shape{1}, Shape{8}, Shape{7}, Shape{1, 8}})
      expect_foreseen(fmt::format(
          "ir 8; opset 14; opset com.microsoft 1; input x float[{}]; init s float[] {{0.05}}; "
          "init m uint8[] {{100}};\n{}{}{}",
          GetParam().is_matrix ? "4, 12" : "1, 12, 3, 3", scale_init("ws", scale),
          zero_init("wz", "int8", zeros, -1), GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Operators, QOperatorScales,
    testing::Values(
        QOperatorCase{.name = "QLinearConv",
                      .text = "init w int8[8, 12, 1, 1] ones; q: xq = QuantizeLinear(x, s, m); n: "
                              "y = QLinearConv(xq, s, m, w, ws, wz, s, m); d: z = "
                              "DequantizeLinear(y, s, m); output z;",
                      .is_matrix = false},
        QOperatorCase{.name = "QLinearMatMul",
                      .text = "init w int8[12, 8] ones; q: xq = QuantizeLinear(x, s, m); n: y = "
                              "QLinearMatMul(xq, s, m, w, ws, wz, s, m); d: z = "
                              "DequantizeLinear(y, s, m); output z;"},
        QOperatorCase{.name = "QGemm",
                      .text = "init w int8[8, 12] ones; q: xq = QuantizeLinear(x, s, m); n: y = "
                              "com.microsoft.QGemm(xq, s, m, w, ws, wz, , s, m) {transB = 1}; d: z "
                              "= DequantizeLinear(y, s, m); output z;"},
        QOperatorCase{.name = "MatMulIntegerToFloat",
                      .text = "init w int8[12, 8] ones; q: xq = QuantizeLinear(x, s, m); n: y = "
                              "com.microsoft.MatMulIntegerToFloat(xq, w, s, ws, m, wz); output y;"},
        QOperatorCase{.name = "DynamicQuantizeMatMul",
                      .text = "init w int8[12, 8] ones; n: y = "
                              "com.microsoft.DynamicQuantizeMatMul(x, w, ws, wz); output y;"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace ocs
