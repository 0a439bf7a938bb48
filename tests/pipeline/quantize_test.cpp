#include "ocs/pipeline/quantize.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr auto small_network = R"(
  input x float[N, 3, 16, 16];
  init w0 float[16, 3, 3, 3] random 1 * 0.3;
  init scale float[16] ones; init shift float[16] zeros; init mean float[16] zeros; init var float[16] ones;
  init w1 float[24, 16, 1, 1] random 2 * 0.3;
  init wd float[24, 1, 3, 3] random 3 * 0.3;
  init fc float[10, 24] random 4 * 0.3;
  init bias float[10] random 5;
  conv0: a = Conv(x, w0) {pads = [1, 1, 1, 1], strides = [2, 2]};
  bn0: b = BatchNormalization(a, scale, shift, mean, var);
  relu0: c = Relu(b);
  conv1: d = Conv(c, w1);
  relu1: e = Relu(d);
  dw: f = Conv(e, wd) {group = 24, pads = [1, 1, 1, 1]};
  relu2: g = Relu(f);
  pool: h = GlobalAveragePool(g);
  flat: i = Flatten(h);
  fc: logits = Gemm(i, fc, bias) {transB = 1};
  output logits float[N, 10];
)";

std::string bytes_of(const Recipe& recipe, std::size_t threads) {
  const ThreadLimit limit(threads);
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 12);
  return quantize(text_model(small_network), &samples, recipe, onnx_runtime(), {})
      .model.proto()
      .SerializeAsString();
}

TEST(Quantize, GivesTheSameBytesForAnyNumberOfThreads) {
  for (const std::string& name : built_in_recipe_names())
    EXPECT_EQ(bytes_of(built_in_recipe(name), 1), bytes_of(built_in_recipe(name), 2)) << name;
}

TEST(Quantize, KeepsTheNetworksAnswer) {
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 12);
  const Quantized result =
      quantize(text_model(small_network), &samples, Recipe{}, onnx_runtime(), {});
  ASSERT_EQ(result.report.outputs.size(), 1U);
  EXPECT_GT(result.report.outputs[0].sqnr_db,
            25.0);  // 8 bits at four layers: 48 dB each would leave 42
  EXPECT_EQ(result.report.layers.size(), 4U);
  for (const LayerReport& layer : result.report.layers)
    EXPECT_TRUE(layer.quantized) << layer.reason;
}

TEST(Quantize, NeedsNoDataForWeightsAlone) {
  const Quantized result = quantize(text_model(small_network), nullptr,
                                    built_in_recipe("weights-only"), onnx_runtime(), {});
  EXPECT_FALSE(result.unchanged);
  EXPECT_TRUE(result.report.outputs.empty());
}

TEST(Quantize, TakesActivationsOfSixteenBitsOnEveryGrid) {
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 12);
  for (const ActRange range : {ActRange::symmetric, ActRange::asymmetric}) {
    for (const ActScope scope : {ActScope::inputs, ActScope::regions}) {
      Recipe recipe;
      recipe.act_bits = 16;
      recipe.act_range = range;
      recipe.act_scope = scope;
      const Quantized result =
          quantize(text_model(small_network), &samples, recipe, onnx_runtime(), {});
      ASSERT_EQ(result.report.outputs.size(), 1U);
      EXPECT_GT(result.report.outputs[0].sqnr_db, 30.0);
    }
  }
}

TEST(Quantize, AsksForDataWhereActivationsAreQuantized) {
  EXPECT_THAT(
      [] { (void)quantize(text_model(small_network), nullptr, Recipe{}, onnx_runtime(), {}); },
      ThrowsMessage<Error>(HasSubstr("calibration data")));
}

TEST(Quantize, PlansTheSameFromSavedStatistics) {
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 12);
  const Quantized first =
      quantize(text_model(small_network), &samples, Recipe{}, onnx_runtime(), {.keep_stats = true});
  const Quantized second = quantize(text_model(small_network), nullptr, Recipe{}, onnx_runtime(),
                                    {.saved_stats = &first.stats});
  // Without samples nothing is measured, so nothing falls back; nothing does here.
  EXPECT_EQ(first.model.proto().SerializeAsString(), second.model.proto().SerializeAsString());
}

TEST(Quantize, RefusesAQuantizedModelAndNamesTheNode) {
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 2);
  Quantized once = quantize(text_model(small_network), &samples, Recipe{}, onnx_runtime(), {});
  EXPECT_THAT(
      [&] { (void)quantize(std::move(once.model), &samples, Recipe{}, onnx_runtime(), {}); },
      ThrowsMessage<Error>(HasSubstr("the model is quantized already")));
}

TEST(Quantize, SaysWhyNothingCouldBeQuantized) {
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 2);
  const Quantized result =
      quantize(text_model("input x float[N, 3, 16, 16]; r: y = Relu(x); output y;"), &samples,
               Recipe{}, onnx_runtime(), {});
  EXPECT_TRUE(result.unchanged);
  EXPECT_TRUE(result.report.layers.empty());
}

TEST(Quantize, TakesALayerThatSpoilsTheNetworkBackToFloat) {
  // One output channel of the depthwise layer is a million times larger: under one scale all others
  // round to nothing.
  std::string text = small_network;
  const std::string weights = "init wd float[24, 1, 3, 3] random 3 * 0.3;";
  std::string numbers = "init wd float[24, 1, 3, 3] {1e3";
  for (int i = 1; i < 216; ++i) numbers += i % 2 == 0 ? ", 1e-3" : ", -2e-3";
  text.replace(text.find(weights), weights.size(), numbers + "};");
  Recipe recipe{.weight_granularity = Granularity::tensor};
  recipe.bias_correction = false;
  // The large channel never fires, so that the small ones are what is left of the signal.
  text.replace(
      text.find("relu1: e = Relu(d);"),
      19, "relu1: e1 = Relu(d); mask: e = Mul(e1, mask); init mask float[1, 24, 1, 1] {1e-9" + [] {
        std::string ones;
        for (int i = 1; i < 24; ++i) ones += ", 1";
        return ones;
      }() + "};");
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 4);
  const Quantized result = quantize(text_model(text), &samples, recipe, onnx_runtime(), {});
  const auto dw = std::ranges::find(result.report.layers, "dw", &LayerReport::node);
  ASSERT_NE(dw, result.report.layers.end());
  EXPECT_FALSE(dw->quantized);
  EXPECT_THAT(dw->reason, HasSubstr("back to float"));
  recipe.fallback = false;
  for (const LayerReport& layer :
       quantize(text_model(text), &samples, recipe, onnx_runtime(), {}).report.layers)
    EXPECT_TRUE(layer.quantized);
}

// Each channel of `large` keeps its own signal well, what matters is how they differ; all other layers do no harm.
TEST(Quantize, TakesALayerThatSpoilsAnOutputBackToFloat) {
  std::string text = R"(
    input x float[1, 3, 8, 8]; init w float[2, 3, 1, 1] {300, 1, 0, 300, 0, 1}; large: a = Conv(x, w);
    init v float[1, 2, 1, 1] {1, -1}; minus: b0 = Conv(a, v); init one float[1, 1, 1, 1] {1};
  )";
  for (int i = 0; i < 10; ++i)
    text += fmt::format("init w{0} float[1, 1, 1, 1] {{1}}; other{0}: b{1} = Conv(b{0}, w{0});\n",
                        i, i + 1);
  text += "output b10 float[1, 1, 8, 8];";
  Recipe recipe;
  recipe.keep_float = {"minus"};
  const Samples samples = random_samples("x", {1, 3, 8, 8}, 8);
  const Quantized result = quantize(text_model(text), &samples, recipe, onnx_runtime(), {});
  EXPECT_GT(result.report.outputs.front().sqnr_db, 20.0);
  for (const LayerReport& layer : result.report.layers)
    EXPECT_EQ(layer.quantized, layer.node != "large" && layer.node != "minus") << layer.node;
  const auto large = std::ranges::find(result.report.layers, "large", &LayerReport::node);
  ASSERT_NE(large, result.report.layers.end());
  EXPECT_THAT(large->reason, HasSubstr("dB only, with this one alone"));
}

// Images are smooth; noise has no correlations that a rounding could use.
Samples smooth_samples(std::size_t count) {
  Samples samples = random_samples("x", {1, 3, 16, 16}, count);
  samples.load = [load = samples.load](std::size_t i) {
    Sample sample = load(i);
    const std::span<float> values = sample.inputs.at("x").as<float>();
    for (std::size_t at = 1; at < values.size(); ++at)
      values[at] = 0.9F * values[at - 1] + 0.2F * values[at];
    return sample;
  };
  return samples;
}

TEST(Quantize, RoundsWithTheDataWhereAsked) {
  Recipe recipe;
  recipe.weight_bits = 4;
  recipe.fallback = false;
  const Samples samples = smooth_samples(40);
  const auto sqnr = [&](const Rounding& rounding) {
    recipe.rounding = rounding;
    const Quantized result =
        quantize(text_model(small_network), &samples, recipe, onnx_runtime(), {});
    return result.report.outputs.front().sqnr_db;
  };
  const double independent = sqnr(GptqRounding{});
  EXPECT_GT(independent, sqnr(NearestRounding{}) + 1.0);
  EXPECT_GT(sqnr(GptqRounding{.sequential = true}), independent);
}

TEST(Quantize, RoundsWithTheDataTheSameForAnyNumberOfThreads) {
  Recipe recipe;
  recipe.rounding = GptqRounding{};
  EXPECT_EQ(bytes_of(recipe, 1), bytes_of(recipe, 3));
  const std::string independent = bytes_of(recipe, 1);
  recipe.rounding = GptqRounding{.sequential = true};
  EXPECT_EQ(bytes_of(recipe, 1), bytes_of(recipe, 3));
  EXPECT_NE(bytes_of(recipe, 1), independent);
}

TEST(Quantize, SaysThatSavedStatisticsAreNotEnoughForGptq) {
  Recipe recipe;
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 4);
  const Quantized first =
      quantize(text_model(small_network), &samples, recipe, onnx_runtime(), {.keep_stats = true});
  recipe.rounding = GptqRounding{};
  EXPECT_THAT(
      [&] {
        (void)quantize(text_model(small_network), nullptr, recipe, onnx_runtime(),
                       {.saved_stats = &first.stats});
      },
      ThrowsMessage<Error>("rounding gptq looks at the data themselves: pass --calib DATA (saved "
                           "statistics do not do)"));
}

TEST(Quantize, SaysWhichLayersGptqLeavesToNearest) {
  Recipe recipe;
  recipe.rounding = GptqRounding{};
  const Model model = text_model(R"(input x float[N, 3, 16, 16];
      init w float[3, 8, 2, 2] random 1 * 0.3;
      up: y = ConvTranspose(x, w) {strides = [2, 2]}; output y float[N, 8, 32, 32])");
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 2);
  const Quantized result = quantize(model.clone(), &samples, recipe, onnx_runtime(), {});
  EXPECT_THAT(result.report.layers.front().reason,
              HasSubstr("rounded to nearest: no second moments of the inputs of a ConvTranspose"));
}

TEST(Quantize, TellsTheObserverEveryStepInOrder) {
  std::vector<std::string> steps;
  const Samples samples = random_samples("x", {1, 3, 16, 16}, 2);
  (void)quantize(
      text_model(small_network), &samples, Recipe{}, onnx_runtime(),
      {.observe = [&](std::string_view step, const Model&) { steps.emplace_back(step); }});
  EXPECT_THAT(steps, testing::ElementsAre("name_nodes", "name_values", "widen_to_float",
                                          "upgrade_opset", "lift_constants", "normalize_gemm",
                                          "state_kernels", "fold_batchnorm", "prune", "write_qdq"));
}

}  // namespace
}  // namespace ocs
