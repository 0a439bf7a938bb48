// Bias correction from BatchNormalization alone, held against the data that it was trained on.
#include <cmath>

#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

constexpr std::int64_t channels = 16;

std::string list(const std::vector<float>& values) {
  std::string text;
  for (const float value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "{" + text + "}";
}

// Conv on N(0, 1), BatchNormalization with the true statistics of what the Conv gives, Relu, Conv.
Model network() {
  const std::vector<float> weight = Random(1).normals(channels * channels, 0.3F);
  std::vector<float> variance;
  for (std::size_t o = 0; o < channels; ++o) {
    float sum = 0.0F;
    for (std::size_t i = 0; i < channels; ++i)
      sum += weight[o * channels + i] * weight[o * channels + i];
    variance.push_back(sum);
  }
  return text_model(
      "input x float[1, 16, 8, 8]; init w float[16, 16, 1, 1] " + list(weight) +
      "; init u float[12, 16, 1, 1] random 2; init g float[16] " +
      list(Random(3).normals(channels)) + "; init b float[16] " +
      list(Random(4).normals(channels)) + "; init m float[16] zeros; init v float[16] " +
      list(variance) +
      "; c1: a = Conv(x, w); n: c = BatchNormalization(a, g, b, m, v); r: d = Relu(c); "
      "c2: y = Conv(d, u); output y float[1, 12, 8, 8];");
}

// Means of the output channels of the quantized model less those of the float one, root mean square.
double mean_error(bool corrected) {
  Recipe recipe = built_in_recipe("weights-only");
  recipe.weight_bits = 3;
  recipe.bias_correction = corrected;
  recipe.overrides = {{.pattern = "c1", .key = "weight_bits", .value = "8"}};
  const Model model = network();
  const Model written = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {}).model;
  const RunModel before = onnx_runtime()(model, {});
  const RunModel after = onnx_runtime()(written, {.optimize = false});
  const Samples samples = random_samples("x", {1, 16, 8, 8}, 100);
  std::vector<double> shift(12, 0.0);
  for (std::size_t i = 0; i < samples.count; ++i) {
    const NamedTensors inputs = samples.load(i).inputs;
    const Tensor wanted = run_once(before, inputs).at("y");
    const Tensor given = run_once(after, inputs).at("y");
    for (std::size_t at = 0; at < wanted.as<float>().size(); ++at)
      shift[at / 64] += static_cast<double>(given.as<float>()[at] - wanted.as<float>()[at]);
  }
  double sum = 0.0;
  for (const double value : shift) sum += std::pow(value / 6400.0, 2) / 12.0;
  return std::sqrt(sum);
}

TEST(BiasWithoutData, TakesOutTheMeanOfTheErrorWhereBatchNormalizationTellsIt) {
  EXPECT_LT(mean_error(true), 0.15 * mean_error(false));
}

}  // namespace
}  // namespace ocs
