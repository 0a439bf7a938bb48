// Recipe `dynamic`: data of MatMul and Gemm rounded with the scale of each run, against the formulas and in the engine's own operators.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/optimized.h"
#include "support/text_model.h"
#include "support/transformer.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Quantized dynamic_form(const Model& model, const Samples* samples = nullptr) {
  return quantize(model.clone(), samples, built_in_recipe("dynamic"), onnx_runtime(), {});
}

std::vector<std::string> optimized_operators(const Model& model) {
  return op_types(optimized_by_engine(model));
}

// ONNX, DynamicQuantizeLinear: the range holds zero, zero has an integer.
Tensor rounded(Tensor x) {
  const auto values = x.as<float>();
  const float low = std::min(0.0F, *std::ranges::min_element(values));
  const float high = std::max(0.0F, *std::ranges::max_element(values));
  const float step = (high - low) / 255.0F;
  const float zero = std::clamp(std::nearbyint(-low / step), 0.0F, 255.0F);
  for (float& value : values)
    value = (std::clamp(std::nearbyint(value / step) + zero, 0.0F, 255.0F) - zero) * step;
  return x;
}

// x [rows, in] * W [in, out] with W on the grids of its columns, in double.
std::vector<double> product(const Tensor& x, const Tensor& w, const std::vector<float>& bias) {
  const auto inputs = static_cast<std::size_t>(w.shape[0]);
  const auto outputs = static_cast<std::size_t>(w.shape[1]);
  const auto data = x.as<float>();
  const auto weights = w.as<float>();
  std::vector<double> result(data.size() / inputs * outputs, 0.0);
  for (std::size_t o = 0; o < outputs; ++o) {
    float largest = 0.0F;
    for (std::size_t i = 0; i < inputs; ++i)
      largest = std::max(largest, std::fabs(weights[i * outputs + o]));
    const float step = largest / 127.0F;
    for (std::size_t r = 0; r < data.size() / inputs; ++r) {
      for (std::size_t i = 0; i < inputs; ++i)
        result[r * outputs + o] +=
            static_cast<double>(data[r * inputs + i]) *
            static_cast<double>(std::nearbyint(weights[i * outputs + o] / step) * step);
      result[r * outputs + o] += bias.empty() ? 0.0 : static_cast<double>(bias[o]);
    }
  }
  return result;
}

void expect_near(const Tensor& found, const std::vector<double>& wanted) {
  const auto values = found.as<float>();
  ASSERT_EQ(values.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(static_cast<double>(values[i]), wanted[i], 1e-4) << i;
}

// [16, 6], every other row so small that no two neighbours add up to more than 128 steps: no processor's sums saturate, and no integer is
// lowered for it.
std::string weights_of_any_processor() {
  std::vector<float> values = Random(1).normals(96);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (i / 6 % 2 == 1) values[i] = std::copysign(0.001F, values[i]);
  return fmt::format("init w float[16, 6] {{{}}};", fmt::join(values, ", "));
}

TEST(DynamicScales, ComputeWhatTheFormulasSay) {
  const std::string head = "input x float[5, 16]; " + weights_of_any_processor();
  const Model matmul = text_model(head + "m: y = MatMul(x, w); output y");
  const Model gemm =
      text_model(head + "init b float[6] {1, -2, 3, 0.5, 0, 7}; m: y = Gemm(x, w, b); output y");
  const Recipe recipe = built_in_recipe("dynamic");
  for (const Model* model : {&matmul, &gemm}) {
    const Quantized result = quantize(model->clone(), nullptr, recipe, onnx_runtime(), {});
    ASSERT_EQ(result.report.layers.size(), 1U);
    EXPECT_EQ(result.report.layers[0].act_bits, 8);
    const NamedTensors inputs = random_inputs(*model, 3);
    const std::vector<float> bias =
        model == &gemm ? std::vector<float>{1, -2, 3, 0.5F, 0, 7} : std::vector<float>{};
    const std::vector<double> wanted =
        product(rounded(inputs.at("x")), initializer_of(*model, "w"), bias);
    for (const bool optimize : {false, true})
      expect_near(run_once(onnx_runtime()(result.model, {.optimize = optimize}), inputs).at("y"),
                  wanted);
  }
}

TEST(DynamicScales, BecomeTheEnginesOwnOperators) {
  const Quantized result = dynamic_form(transformer_block());
  const std::vector<std::string> written = op_types(result.model);
  EXPECT_EQ(std::ranges::count(written, "MatMulInteger"), 6);
  EXPECT_EQ(std::ranges::count(written, "DynamicQuantizeLinear"), 4)
      << "query, key, value share one";
  const std::vector<std::string> operators = optimized_operators(result.model);
  EXPECT_EQ(std::ranges::count(operators, "DynamicQuantizeMatMul"), 3);
  EXPECT_EQ(std::ranges::count(operators, "MatMulIntegerToFloat"), 3);
  EXPECT_EQ(std::ranges::count(operators, "MatMulInteger"), 0);
}

TEST(DynamicScales, NeedNoDataAndUseThemWhereTheyAreThere) {
  const Quantized without = dynamic_form(transformer_block());
  EXPECT_TRUE(without.report.outputs.empty());
  const Samples samples = transformer_samples(16);
  const Quantized with = dynamic_form(transformer_block(), &samples);
  ASSERT_EQ(with.report.outputs.size(), 1U);
  EXPECT_GT(with.report.outputs[0].sqnr_db, 30.0) << "smoothed by what the data tell";
}

TEST(DynamicScales, LeaveFloatDataWhereNoKernelRoundsThem) {
  const Quantized result = dynamic_form(text_model(R"(
    input x float[1, 4, 8, 8];
    init w float[4, 4, 1, 1] random 1; init v float[8, 5] random 2; init u float[3, 8] random 3;
    c: a = Conv(x, w);
    l: b = MatMul(u, a);
    m: d = MatMul(a, v);
    output b; output d;
  )"));
  ASSERT_EQ(result.report.layers.size(), 3U);
  for (const LayerReport& layer : result.report.layers) {
    const bool rounds = layer.node == "m";
    EXPECT_EQ(layer.act_bits.has_value(), rounds) << layer.node;
    EXPECT_EQ(layer.reason.find("float data") == std::string::npos, rounds) << layer.node;
  }
  EXPECT_THAT(op_types(result.model), testing::Contains("Conv"));
}

TEST(DynamicScales, GoWithCopiesOfChannels) {
  const Model model = text_model(
      "input x float[5, 16]; init w float[16, 6] random 1; m: y = MatMul(x, w); output y");
  Recipe recipe = built_in_recipe("dynamic");
  recipe.expand_ratio = 0.25;
  recipe.fill_multiples = false;
  const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  EXPECT_EQ(result.report.layers.at(0).copies, 4);
  recipe.split_form = SplitForm::virtual_;
  const Quantized whole = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  const NamedTensors inputs = random_inputs(model, 3);
  const Tensor found = run_once(onnx_runtime()(result.model, {}), inputs).at("y");
  const Tensor wanted = run_once(onnx_runtime()(model, {}), inputs).at("y");
  for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
    EXPECT_NEAR(found.as<float>()[i], wanted.as<float>()[i], 0.25F) << i;
}

TEST(DynamicScales, RefuseWhatTheyCannotGoWith) {
  const auto check_with = [](auto&& change) {
    Recipe recipe = built_in_recipe("dynamic");
    change(recipe);
    check(recipe);
  };
  EXPECT_THAT([&] { check_with([](Recipe& recipe) { recipe.act_bits = 4; }); },
              ThrowsMessage<Error>(HasSubstr("act_scales: data are rounded to 8 bits")));
  EXPECT_THAT(
      [&] {
        check_with([](Recipe& recipe) {
          recipe.act_scope = ActScope::inputs;
          recipe.act_expand_ratio = 0.1;
        });
      },
      ThrowsMessage<Error>(HasSubstr("act_scales: dynamic scales leave no range")));
}

}  // namespace
}  // namespace ocs
