// The oracle against its formulas, computed batch by batch.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

constexpr std::int64_t channels = 8;
constexpr int highest = 7;  // 4 bits

Recipe oracle(double ratio, SplitKind kind) {
  Recipe recipe = built_in_recipe("paper");
  recipe.act_bits = 4;
  recipe.first_float = false;
  recipe.act_split = ActSplit::oracle;
  recipe.act_expand_ratio = ratio;
  recipe.split = kind;
  return recipe;
}

// x [outer, channels, inner] rounded as the oracle does it.
Tensor rounded(const Tensor& x, std::int64_t outer, std::int64_t inner, std::size_t splits,
               SplitKind kind) {
  std::vector<double> largest(channels, 0.0);
  const auto at = [&](std::int64_t o, std::int64_t c, std::int64_t i) {
    return static_cast<std::size_t>((o * channels + c) * inner + i);
  };
  const auto each = [&](const auto& visit) {
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t i = 0; i < inner; ++i) visit(static_cast<std::size_t>(c), at(o, c, i));
  };
  const auto values = x.as<float>();
  each([&](std::size_t c, std::size_t place) {
    largest[c] = std::max(largest[c], std::fabs(static_cast<double>(values[place])));
  });
  std::vector<std::size_t> order(channels);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, std::ranges::greater(), [&](std::size_t c) { return largest[c]; });
  std::vector<bool> is_split(channels, false);
  for (std::size_t i = 0; i < splits; ++i) is_split[order[i]] = true;
  double range = 0.0;
  for (std::size_t c = 0; c < channels; ++c)
    range = std::max(range, is_split[c] ? largest[c] / 2.0 : largest[c]);
  const double step = range / highest;
  Tensor result = x;
  each([&](std::size_t c, std::size_t place) {
    const auto value = static_cast<double>(values[place]);
    const double shift = kind == SplitKind::naive ? 0.0 : step / 4.0;
    const double sum = is_split[c] ? std::nearbyint((value / 2.0 - shift) / step) +
                                         std::nearbyint((value / 2.0 + shift) / step)
                                   : std::nearbyint(value / step);
    result.as<float>()[place] = static_cast<float>(sum * step);
  });
  return result;
}

struct Case {
  std::string text{};
  Shape data{};
  std::int64_t inner = 1;
};

// The written model on x gives what the model without an oracle gives on the rounded x.
TEST(WriteOracle, RoundsEachBatchByItsOwnRange) {
  for (const Case& entry : std::vector<Case>{
           {"input x float[N, 8]; init w float[8, 5] random 3; m: y = MatMul(x, w); output y",
            {6, 8}},
           {"input x float[N, 8]; init w float[8, 5] random 3; init b float[5] random 4; "
            "m: y = Gemm(x, w, b); output y",
            {1, 8}},
           {"input x float[N, 8, 5, 5]; init w float[4, 8, 3, 3] random 3; init b float[4] random "
            "4; "
            "m: y = Conv(x, w, b) {pads = [1, 1, 1, 1]}; output y",
            {3, 8, 5, 5},
            25}}) {
    const Model model = text_model(entry.text);
    const Samples samples{
        .count = 2, .load = [&](std::size_t i) {
          return Sample{.name = "s", .inputs = {{"x", random_tensor(entry.data, i)}}};
        }};
    Recipe plain = built_in_recipe("paper");
    plain.act_bits.reset();
    plain.first_float = false;
    const Model weights_alone =
        quantize(model.clone(), &samples, plain, onnx_runtime(), {.progress = {}}).model;
    for (const SplitKind kind : {SplitKind::quantization_aware, SplitKind::naive}) {
      for (const double ratio : {0.0, 0.3, 1.0}) {
        const Quantized quantized = quantize(model.clone(), &samples, oracle(ratio, kind),
                                             onnx_runtime(), {.progress = {}});
        EXPECT_EQ(quantized.report.layers.at(0).act_bits, 4);
        const auto splits = static_cast<std::size_t>(std::ceil(ratio * channels));
        for (const std::uint64_t seed : {11U, 12U}) {  // another range each
          Tensor x = random_tensor(entry.data, seed);
          for (float& value : x.as<float>()) value *= static_cast<float>(seed - 10);
          const Tensor wanted =
              run_once(onnx_runtime()(weights_alone, {.optimize = false}),
                       {{"x", rounded(x, entry.data[0], entry.inner, splits, kind)}})
                  .at("y");
          for (const bool optimize : {false, true}) {
            const Tensor seen =
                run_once(onnx_runtime()(quantized.model, {.optimize = optimize}), {{"x", x}})
                    .at("y");
            for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
              EXPECT_NEAR(seen.as<float>()[i], wanted.as<float>()[i], 2e-4F);
          }
        }
      }
    }
  }
}

// The names that the writer gives are those of the model here, before anything else was named.
TEST(WriteOracle, LeavesTheNamesOfTheModelAlone) {
  const Model model = text_model(
      "input x float[N, 8]; init m_weight float[8, 5] random 3; init m_bias float[5] random 4; "
      "m: y = Gemm(x, m_weight, m_bias); output y");
  const Samples samples{.count = 1, .load = [](std::size_t) {
                          return Sample{.name = "s", .inputs = {{"x", random_tensor({2, 8}, 1)}}};
                        }};
  Recipe recipe = oracle(0.2, SplitKind::quantization_aware);
  recipe.measure_count = 1;
  const Quantized quantized = quantize(model.clone(), &samples, recipe, onnx_runtime(), {});
  EXPECT_TRUE(quantized.report.layers.at(0).sqnr_db.has_value());
}

TEST(WriteOracle, TakesABatchOfZeros) {
  const Model model =
      text_model("input x float[N, 8]; init w float[8, 5] random 3; m: y = MatMul(x, w); output y");
  const Samples samples{.count = 1, .load = [](std::size_t) {
                          return Sample{.name = "s", .inputs = {{"x", random_tensor({2, 8}, 1)}}};
                        }};
  const Quantized quantized =
      quantize(model.clone(), &samples, oracle(0.2, SplitKind::quantization_aware), onnx_runtime(),
               {.progress = {}});
  const Tensor zeros{.shape = {2, 8}, .values = std::vector<float>(16, 0.0F)};
  const Tensor seen = run_once(onnx_runtime()(quantized.model, {}), {{"x", zeros}}).at("y");
  for (const float value : seen.as<float>()) EXPECT_EQ(value, 0.0F);
}

}  // namespace
}  // namespace ocs
