// A transformer block with outlier channels through all of it: recipes, the written model, the engine, the comparison.
#include "support/transformer.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/report/compare.h"
#include "support/models.h"
#include "support/optimized.h"

namespace ocs {
namespace {

Model quantized(const Recipe& recipe) {
  const Samples samples = transformer_samples(32);
  return quantize(transformer_block(), &samples, recipe, onnx_runtime(), {}).model;
}

OutputQuality quality(const Model& model) {
  // Other samples than those of the calibration.
  Samples samples = transformer_samples(64);
  const auto load = samples.load;
  samples.load = [load](std::size_t i) { return load(i + 32); };
  samples.count = 32;
  return compare(transformer_block(), model, samples, onnx_runtime(), {}).outputs.at(0);
}

std::vector<std::string> optimized_operators(const Model& model) {
  return op_types(optimized_by_engine(model));
}

Recipe plain_min_max() {
  Recipe recipe;
  recipe.act_clip = MaxClip{};
  recipe.smooth = false;
  recipe.bias_correction = false;
  recipe.fallback = false;
  return recipe;
}

TEST(Transformer, KeepsItsDirectionInEveryForm) {
  Recipe blocks = built_in_recipe("weights-only");
  blocks.weight_bits = 4;
  blocks.weight_granularity = Granularity::block;
  blocks.weight_block = 16;
  const OutputQuality plain = quality(quantized(plain_min_max()));
  for (const char* name : {"int8", "dynamic", "weights-only"}) {
    const OutputQuality ours = quality(quantized(built_in_recipe(name)));
    EXPECT_GE(ours.min_cosine, 0.998) << name;
    EXPECT_GT(1.0 - plain.mean_cosine, 4.0 * (1.0 - ours.mean_cosine)) << name;
  }
  EXPECT_GE(quality(quantized(blocks)).min_cosine, 0.95);
}

TEST(Transformer, RunsItsLayersOnIntegers) {
  const std::vector<std::string> operators = optimized_operators(quantized(Recipe{}));
  EXPECT_EQ(std::ranges::count(operators, "MatMulIntegerToFloat"), 6);
  // Those of two activations stay float.
  EXPECT_EQ(std::ranges::count(operators, "MatMul") + std::ranges::count(operators, "FusedMatMul"),
            2);
}

}  // namespace
}  // namespace ocs
