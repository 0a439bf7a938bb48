// Splitting of activations in a whole quantization, against its formulas computed value by value.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

constexpr std::int64_t channels = 8;
constexpr std::int64_t rows = 6;

// Two channels are much larger than the others.
Tensor data_of_sample(std::uint64_t seed, bool not_negative) {
  Tensor x = random_tensor({rows, channels}, seed);
  const std::span<float> values = x.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (not_negative) values[i] = std::max(values[i], 0.0F);
    if (i % channels == 2) values[i] *= 6.0F;
    if (i % channels == 5) values[i] *= 3.0F;
  }
  return x;
}

Samples samples_of(bool not_negative) {
  return {.count = 16, .load = [=](std::size_t i) {
            return Sample{.name = "s", .inputs = {{"x", data_of_sample(i + 1, not_negative)}}};
          }};
}

Recipe four_bits(ActSplit split) {
  Recipe recipe = built_in_recipe("paper");
  recipe.act_bits = 4;
  recipe.first_float = false;
  recipe.act_expand_ratio = 0.3;  // three copies
  recipe.act_split = split;
  return recipe;
}

Model product() {
  return text_model(
      "input x float[6, 8]; init w float[8, 5] random 3; m: y = MatMul(x, w); output y float[6, "
      "5]");
}

struct Written {
  float step = 0.0F;
  std::vector<std::int64_t> sources{};
};
Written look_into(const Model& model) {
  Written written;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.op_type() == "Gather") {
      const Tensor sources = initializer_of(model, node.input(1));
      written.sources.assign(sources.as<std::int64_t>().begin(), sources.as<std::int64_t>().end());
    }
    if (node.op_type() == "QuantizeLinear")
      written.step = initializer_of(model, node.input(1)).as<float>()[0];
  }
  return written;
}

// What a sample gives with the activations rounded by `round(channel, x)` and the weights to 8 bits.
std::vector<float> expected(const Model& model, const Tensor& x,
                            const std::function<double(std::int64_t, double)>& round) {
  const Tensor weight = initializer_of(model, "w");
  float largest = 0.0F;
  for (const float w : weight.as<float>()) largest = std::max(largest, std::fabs(w));
  const float step = largest / 127.0F;
  std::vector<float> y;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t out = 0; out < 5; ++out) {
      double sum = 0.0;
      for (std::int64_t c = 0; c < channels; ++c) {
        const float w = weight.as<float>()[static_cast<std::size_t>(c * 5 + out)];
        const float value = x.as<float>()[static_cast<std::size_t>(row * channels + c)];
        sum += round(c, static_cast<double>(value)) *
               static_cast<double>(std::nearbyint(w / step) * step);
      }
      y.push_back(static_cast<float>(sum));
    }
  }
  return y;
}

void expect_near(const Tensor& seen, const std::vector<float>& wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(seen.as<float>()[i], wanted[i], 2e-5F * (1.0F + std::fabs(wanted[i])));
}

// The parts of a channel round to what the channel rounds to on a grid that is copies times as long.
TEST(SplitActivations, SaturatingPartsExtendTheGrid) {
  for (const bool not_negative : {true, false}) {
    const Samples samples = samples_of(not_negative);
    const Quantized quantized = quantize(product(), &samples, four_bits(ActSplit::saturating),
                                         onnx_runtime(), {.progress = {}});
    const Written written = look_into(quantized.model);
    ASSERT_EQ(written.sources.size(), 11U);
    std::map<std::int64_t, int> copies;
    for (const std::int64_t source : written.sources) ++copies[source];
    EXPECT_GE(copies[2], 2);  // the largest channel
    EXPECT_EQ(copies[0], 1);
    const Tensor x = data_of_sample(99, not_negative);
    const NamedTensors outputs =
        run_once(onnx_runtime()(quantized.model, {.optimize = false}), {{"x", x}});
    const auto step = static_cast<double>(written.step);
    expect_near(outputs.at("y"), expected(product(), x, [&](std::int64_t c, double value) {
                  const double limit = 7.0 * copies[c];  // both signs: the paper's grid
                  return step * std::clamp(std::nearbyint(value / step),
                                           not_negative ? 0.0 : -limit, limit);
                }));
  }
}

// Quantization-aware halves round to what the whole rounds to, clipped at twice the range.
TEST(SplitActivations, HalvesRoundToTheWhole) {
  const Samples samples = samples_of(false);
  Recipe recipe = four_bits(ActSplit::halving);
  const Quantized quantized =
      quantize(product(), &samples, recipe, onnx_runtime(), {.progress = {}});
  const Written written = look_into(quantized.model);
  ASSERT_EQ(written.sources.size(), 11U);
  std::map<std::int64_t, int> copies;
  for (const std::int64_t source : written.sources) ++copies[source];
  EXPECT_EQ(copies[2], 2);
  const Tensor x = data_of_sample(3, false);  // one of the samples: nothing is clipped
  const auto step = static_cast<double>(written.step);
  const NamedTensors exact =
      run_once(onnx_runtime()(quantized.model, {.optimize = false}), {{"x", x}});
  expect_near(exact.at("y"), expected(product(), x, [&](std::int64_t, double value) {
                return step * std::nearbyint(value / step);
              }));
  recipe.split = SplitKind::naive;
  const Model naive = quantize(product(), &samples, recipe, onnx_runtime(), {.progress = {}}).model;
  expect_near(run_once(onnx_runtime()(naive, {.optimize = false}), {{"x", x}}).at("y"),
              expected(product(), x, [&](std::int64_t c, double value) {
                return copies[c] * step * std::nearbyint(value / copies[c] / step);
              }));
}

TEST(SplitActivations, ReportTheCopiesAndTheirCost) {
  const Samples samples = samples_of(true);
  const Quantized quantized = quantize(product(), &samples, four_bits(ActSplit::saturating),
                                       onnx_runtime(), {.progress = {}});
  const LayerReport& layer = quantized.report.layers.at(0);
  EXPECT_EQ(layer.act_copies, 3);
  EXPECT_EQ(layer.macs, rows * channels * 5);
  EXPECT_EQ(layer.extra_macs, rows * 3 * 5);
  EXPECT_THAT(layer.reason, testing::HasSubstr("3 channels of its data are split"));
}

TEST(SplitActivations, NeedTheDataAndTheScopeInputs) {
  const Samples samples = samples_of(true);
  const Quantized kept = quantize(product(), &samples, built_in_recipe("paper"), onnx_runtime(),
                                  {.progress = {}, .keep_stats = true});
  EXPECT_THAT(
      [&] {
        (void)quantize(product(), nullptr, four_bits(ActSplit::saturating), onnx_runtime(),
                       {.progress = {}, .saved_stats = &kept.stats});
      },
      testing::ThrowsMessage<Error>(testing::HasSubstr("act_expand_ratio looks at the data")));
  Recipe recipe = four_bits(ActSplit::saturating);
  recipe.act_scope = ActScope::regions;
  EXPECT_THAT(
      [&] { (void)quantize(product(), &samples, recipe, onnx_runtime(), {.progress = {}}); },
      testing::ThrowsMessage<Error>(testing::HasSubstr("only with act_scope inputs")));
}

// A recipe that rounds weights as they were stored (BatchNormalization absorbed afterwards), a Conv
// that makes the parts, and a residual Add: the float network is the same, and at 16 bits of
// activations the quantized one nearly so.
TEST(SplitActivations, KeepAResidualNetworkWithBatchNormalization) {
  const Model model = text_model(R"(
    input x float[2, 8, 6, 6];
    init v float[8, 8, 3, 3] random 1 * 0.3;
    init u float[8, 8, 1, 1] random 2 * 0.3;
    init w float[8, 8, 3, 3] random 3 * 0.3;
    init scale float[8] {1, -2, 0.5, 1.5, 3, 1, 1, 0.25};
    init shift float[8] random 5;
    init mean float[8] random 6;
    init var float[8] ones;
    c: a = Conv(x, v) {pads = [1, 1, 1, 1]};
    n: b = BatchNormalization(a, scale, shift, mean, var);
    r: d = Relu(b);
    e: f = Conv(d, u);
    m: g = BatchNormalization(f, scale, shift, mean, var);
    s: h = Relu(g);
    k: i = Conv(h, w) {pads = [1, 1, 1, 1]};
    p: y = Add(i, d);
    output y;
  )");
  const Samples samples{
      .count = 4, .load = [](std::size_t i) {
        return Sample{.name = "s", .inputs = {{"x", random_tensor({2, 8, 6, 6}, i)}}};
      }};
  Recipe recipe = four_bits(ActSplit::saturating);
  for (const ActSplit split : {ActSplit::saturating, ActSplit::halving}) {
    recipe.act_split = split;
    double last = 0.0;
    for (const int bits : {4, 6, 8}) {
      recipe.act_bits = bits;
      const Quantized quantized =
          quantize(model.clone(), &samples, recipe, onnx_runtime(), {.progress = {}});
      EXPECT_GT(quantized.report.outputs.at(0).sqnr_db, last + 6.0);
      last = quantized.report.outputs.at(0).sqnr_db;
    }
    EXPECT_GT(last, 30.0);
  }
}

}  // namespace
}  // namespace ocs
