#include "ocs/pipeline/sensitivity.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ThrowsMessage;

// Four layers and two outputs, the first of them scores of five classes.
constexpr auto network = R"(
  input x float[N, 3, 8, 8];
  init w0 float[8, 3, 3, 3] random 1 * 0.3;
  init w1 float[8, 8, 1, 1] random 2 * 0.3;
  init w2 float[8, 8, 1, 1] random 3 * 0.3;
  init fc float[5, 8] random 4 * 0.5;
  conv0: a = Conv(x, w0) {pads = [1, 1, 1, 1]};
  relu0: b = Relu(a);
  conv1: c = Conv(b, w1);
  relu1: d = Relu(c);
  conv2: e = Conv(d, w2);
  pool: f = GlobalAveragePool(e);
  flat: g = Flatten(f);
  fc: logits = Gemm(g, fc) {transB = 1};
  output logits float[N, 5];
  output d float[N, 8, 8, 8];
)";

// The same with one weight of conv1 fifty times the others, on a channel that next to nothing comes through: under one scale
// little is left of the weights that matter.
std::string network_with_an_outlier() {
  std::string text = network;
  const auto replace = [&](const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
  };
  std::string numbers = "{15";
  for (const float value : Random(2).normals(63)) numbers += ", " + std::to_string(0.3F * value);
  replace("random 2 * 0.3", numbers + "}");
  replace("relu0: b = Relu(a);",
          "relu0: r = Relu(a); init mask float[1, 8, 1, 1] {1e-9, 1, 1, 1, 1, 1, 1, 1}; "
          "mask: b = Mul(r, mask);");
  return text;
}

Samples some_samples(std::size_t count) { return random_samples("x", {1, 3, 8, 8}, count); }

Recipe some_recipe() {
  Recipe recipe{.weight_bits = 4, .weight_granularity = Granularity::tensor};
  recipe.weight_clip = MaxClip{};
  recipe.measure_count = 6;
  return recipe;
}

Sensitivity measure(const std::string& text, const Recipe& recipe = some_recipe()) {
  return measure_sensitivity(text_model(text), some_samples(10), recipe, onnx_runtime(), {});
}

const LayerSensitivity& find(const Sensitivity& sensitivity, const std::string& node) {
  return *std::ranges::find_if(sensitivity.layers,
                               [&](const LayerSensitivity& row) { return row.layer.node == node; });
}

TEST(Sensitivity, RanksTheLayerFirstThatAnOutlierSpoils) {
  const Sensitivity bad = measure(network_with_an_outlier());
  ASSERT_EQ(bad.layers.size(), 4U);
  EXPECT_EQ(bad.layers[0].layer.node, "conv1");
  EXPECT_LT(bad.layers[0].change.sqnr_db, bad.layers[1].change.sqnr_db - 10.0);
  // Without it the layer is like the others.
  EXPECT_GT(find(measure(network), "conv1").change.sqnr_db, bad.layers[0].change.sqnr_db + 10.0);
}

TEST(Sensitivity, RanksTheLayerFirstThatHasFewerBits) {
  for (const char* node : {"conv0", "conv2"}) {
    Recipe recipe = some_recipe();
    recipe.weight_bits = 8;
    recipe.overrides = {{.pattern = node, .key = "weight_bits", .value = "2"}};
    EXPECT_EQ(measure(network, recipe).layers[0].layer.node, node);
  }
}

TEST(Sensitivity, TellsWhatTheWeightsDoNot) {
  // conv2 has the coarsest weights, but what reads it is multiplied by next to nothing.
  std::string text = network_with_an_outlier();
  text.replace(text.find("pool: f = GlobalAveragePool(e);"), 31,
               "tiny: e1 = Mul(e, t); sum: e2 = Add(e1, d); init t float[1] {1e-4}; "
               "pool: f = GlobalAveragePool(e2);");
  Recipe recipe = some_recipe();
  recipe.overrides = {{.pattern = "conv2", .key = "weight_bits", .value = "2"}};
  const Sensitivity measured = measure(text, recipe);
  EXPECT_EQ(measured.layers.back().layer.node, "conv2");
  EXPECT_EQ(measured.layers.back().weight_bits, 2);
  EXPECT_LT(*measured.layers.back().own_sqnr_db, *find(measured, "fc").own_sqnr_db);
}

struct Slow {
  double squared_error = 0.0;
  double relative_error = 0.0;
  double worst_db = 1e9;
  double kl = 0.0;
};

double softmax_of(std::span<const float> scores, std::size_t i) {
  double sum = 0.0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score));
  return std::exp(static_cast<double>(scores[i])) / sum;
}

// The whole quantizer with every other layer kept float, and two loops.
Slow slow_change(const std::string& node) {
  const Samples samples = some_samples(10);
  Recipe recipe = some_recipe();
  recipe.fallback = false;
  recipe.smooth =
      false;  // chosen for the whole network: what one layer alone reads may be smoothed otherwise
  for (const char* other : {"conv0", "conv1", "conv2", "fc"})
    if (node != other) recipe.keep_float.emplace_back(other);
  const Model model = text_model(network);
  const Quantized alone = quantize(model.clone(), &samples, recipe, onnx_runtime(), {});
  const RunModel reference = onnx_runtime()(model, {});
  const RunModel quantized = onnx_runtime()(alone.model, {});
  std::map<std::string, std::pair<double, double>> energies;  // signal and noise
  double values = 0.0;
  Slow slow;
  for (std::size_t i = 0; i < 6; ++i) {
    const NamedTensors expected = run_once(reference, samples.load(i).inputs);
    const NamedTensors given = run_once(quantized, samples.load(i).inputs);
    for (const char* output : {"logits", "d"}) {
      const auto a = expected.at(output).as<float>();
      const auto b = given.at(output).as<float>();
      for (std::size_t k = 0; k < a.size(); ++k) {
        energies[output].first += std::pow(static_cast<double>(a[k]), 2);
        energies[output].second +=
            std::pow(static_cast<double>(a[k]) - static_cast<double>(b[k]), 2);
      }
      values += static_cast<double>(a.size());
    }
    const auto p = expected.at("logits").as<float>();
    const auto q = given.at("logits").as<float>();
    for (std::size_t k = 0; k < p.size(); ++k)
      slow.kl += softmax_of(p, k) * std::log(softmax_of(p, k) / softmax_of(q, k)) / 6.0;
  }
  for (const auto& [output, energy] : energies) {
    slow.squared_error += energy.second / values;
    slow.relative_error += energy.second / energy.first;
    if (energy.second > 0.0)
      slow.worst_db = std::min(slow.worst_db, 10.0 * std::log10(energy.first / energy.second));
  }
  return slow;
}

TEST(Sensitivity, IsWhatQuantizingThisLayerAloneDoes) {
  // Two paths to the same model: sums in double in another order.
  constexpr double rounding = 1e-6;
  const Sensitivity measured = measure(network);
  for (const char* node : {"conv0", "conv1", "conv2", "fc"}) {
    const Slow slow = slow_change(node);
    const OutputChange& change = find(measured, node).change;
    EXPECT_NEAR(change.squared_error, slow.squared_error, rounding * slow.squared_error) << node;
    EXPECT_NEAR(change.relative_error, slow.relative_error, rounding * slow.relative_error) << node;
    EXPECT_NEAR(change.sqnr_db, slow.worst_db, rounding * slow.worst_db) << node;
    ASSERT_TRUE(change.kl.has_value());
    EXPECT_NEAR(*change.kl, slow.kl, rounding * slow.kl) << node;
    EXPECT_GT(slow.squared_error, 0.0) << node;
  }
}

TEST(Sensitivity, IsTheSameForAnyNumberOfThreads) {
  const auto figures = [](std::size_t threads) {
    const ThreadLimit limit(threads);
    std::vector<std::pair<std::string, double>> all;
    for (const LayerSensitivity& row : measure(network).layers) {
      all.emplace_back(row.layer.node, row.change.squared_error);
      all.emplace_back("kl", row.change.kl.value());
    }
    return all;
  };
  EXPECT_EQ(figures(1), figures(3));
}

TEST(Sensitivity, HasNoDivergenceWithoutClasses) {
  const Sensitivity measured = measure(
      "input x float[N, 3, 8, 8]; init w float[1, 3, 3, 3] random 1; "
      "c: y = Conv(x, w); output y float[N, 1, 6, 6];");
  ASSERT_EQ(measured.layers.size(), 1U);
  EXPECT_FALSE(measured.layers[0].change.kl.has_value());
  EXPECT_EQ(measured.together->squared_error, measured.layers[0].change.squared_error);
}

TEST(Sensitivity, IsEmptyWhereNothingIsQuantized) {
  Recipe recipe = some_recipe();
  recipe.keep_float = {"*"};
  const Sensitivity measured = measure(network, recipe);
  EXPECT_TRUE(measured.layers.empty());
  EXPECT_FALSE(measured.together.has_value());
  EXPECT_EQ(measured.skipped.size(), 4U);
}

TEST(Sensitivity, NeedsASample) {
  EXPECT_THAT(
      [] {
        (void)measure_sensitivity(text_model(network), some_samples(0), some_recipe(),
                                  onnx_runtime(), {});
      },
      ThrowsMessage<Error>("the sensitivity of layers is measured on samples, and there are none"));
}

}  // namespace
}  // namespace ocs
