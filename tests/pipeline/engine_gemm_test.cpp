// MatMul and Add that the engine joins to a Gemm run on integers all the same.
#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/optimized.h"
#include "support/text_model.h"
#include "support/transformer.h"

namespace ocs {
namespace {

Model quantized(const Model& model, const Samples& samples, const Recipe& recipe = {}) {
  return quantize(model.clone(), &samples, recipe, onnx_runtime(), {}).model;
}

int integer_gemms(const Model& model) {
  const std::vector<std::string> operators = op_types(optimized_by_engine(model));
  EXPECT_EQ(std::ranges::count(operators, "Gemm"), 0);
  return static_cast<int>(std::ranges::count(operators, "QGemm"));
}

void expect_near(const Model& a, const Model& b, float tolerance) {
  const NamedTensors inputs = random_inputs(a, 7);
  const Tensor found = run_once(onnx_runtime()(a, {}), inputs).at("y");
  const Tensor wanted = run_once(onnx_runtime()(b, {.optimize = false}), inputs).at("y");
  ASSERT_EQ(found.shape, wanted.shape);
  for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
    EXPECT_NEAR(found.as<float>()[i], wanted.as<float>()[i], tolerance) << i;
}

Model layers(const std::string& shape, const std::string& added) {
  return text_model("input x float" + shape +
                    "; init w float[16, 16] random 1; init v float[16, 8] random 2;"
                    "init b float[16] random 3; init c float" +
                    added +
                    "; m1: h0 = MatMul(x, w); a1: h = Add(b, h0); r: i = Relu(h);"
                    "m2: y0 = MatMul(i, v); a2: y = Add(y0, c); output y");
}

TEST(EngineGemm, RunsOnIntegersWhateverFormTheConstantHas) {
  for (const char* shape : {"[N, 16]", "[4, 16]", "[2, 3, 16]"}) {
    for (const char* added : {"[8] random 4", "[1, 8] random 4", "[] {0.5}", "[1] {0.5}"}) {
      SCOPED_TRACE(std::string(shape) + " " + added);
      const Model model = layers(shape, added);
      const Samples samples{.count = 8, .load = [&](std::size_t i) {
                              return Sample{.name = "random",
                                            .inputs = random_inputs(model, i + 1)};
                            }};
      for (const bool corrects : {true, false}) {
        Recipe recipe;
        recipe.bias_correction = corrects;
        const Model out = quantized(model, samples, recipe);
        EXPECT_EQ(integer_gemms(out), 2);
        expect_near(out, out, 1e-3F);
        expect_near(out, model, 1.0F);
      }
    }
  }
}

TEST(EngineGemm, TakesTheCorrectionOfAMatMulAlone) {
  const Model model = text_model(
      "input x float[4, 16]; init w float[16, 8] random 1; s: h = Abs(x); m: y = MatMul(h, w); "
      "output y");
  const Samples samples = random_samples("x", {4, 16}, 8);
  Recipe recipe;
  recipe.weight_bits = 4;  // something to correct
  const Model out = quantized(model, samples, recipe);
  EXPECT_EQ(integer_gemms(out), 1);
  expect_near(out, out, 1e-3F);
}

// The sums would overflow: rather in float than wrong.
TEST(EngineGemm, LeavesAConstantFloatThatInt32CannotHold) {
  const Model model = layers("[4, 16]", "[8] {1e9, 1, 1, 1, 1, 1, 1, -1e9}");
  const Samples samples = random_samples("x", {4, 16}, 8);
  Recipe recipe;
  recipe.fallback = false;
  const Model out = quantized(model, samples, recipe);
  const Tensor y = run_once(onnx_runtime()(out, {}), random_inputs(model, 7)).at("y");
  EXPECT_NEAR(y.as<float>()[0], 1e9F, 1e3F);
  EXPECT_NEAR(y.as<float>()[7], -1e9F, 1e3F);
}

TEST(EngineGemm, RunsATransformerOfKnownExtents) {
  Model model = transformer_block();
  model.graph()
      .mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_value(1);
  const Samples samples = transformer_samples(16);
  const Model fixed = quantized(model, samples);
  EXPECT_EQ(integer_gemms(fixed), 6);
  const Model free = quantized(transformer_block(), samples);
  const NamedTensors inputs = transformer_samples(20).load(19).inputs;
  const Tensor a = run_once(onnx_runtime()(fixed, {}), inputs).at("y");
  const Tensor b = run_once(onnx_runtime()(free, {}), inputs).at("y");
  for (std::size_t i = 0; i < a.as<float>().size(); ++i)
    EXPECT_NEAR(a.as<float>()[i], b.as<float>()[i], 0.2F) << i;
}

}  // namespace
}  // namespace ocs
