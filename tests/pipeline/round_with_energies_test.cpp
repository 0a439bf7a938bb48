#include "ocs/pipeline/round_with_energies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Three blocks, the second with a way around.
constexpr auto network = R"(
  input x float[N, 3, 8, 8];
  init v float[8, 3, 3, 3] random 1 * 0.3; init w float[8, 8, 3, 3] random 2 * 0.2;
  init u float[8, 8, 1, 1] random 3 * 0.3; init f float[5, 8] random 4;
  c1: a = Conv(x, v) {pads = [1, 1, 1, 1]}; r1: b = Relu(a);
  c2: c = Conv(b, w) {pads = [1, 1, 1, 1]}; s: d = Add(b, c); r2: e = Relu(d);
  c3: g = Conv(e, u); r3: h = Relu(g); p: i = GlobalAveragePool(h); k: j = Flatten(i);
  fc: y = Gemm(j, f) {transB = 1};
  output y float[N, 5];
)";

// Integers and biases of all layers; `progress` gets what was said.
std::vector<std::vector<std::int16_t>> rounded(std::int64_t kept_bytes, const Progress& progress) {
  Recipe recipe{.weight_bits = 4};
  recipe.rounding = GptqRounding{.sequential = true, .refine = true};
  const Samples samples = random_samples("x", {1, 3, 8, 8}, 80);
  const Prepared prepared = prepare(text_model(network), recipe, {});
  const CalibrationStats stats =
      collect_statistics(prepared.model, samples, recipe, onnx_runtime(), {}).stats;
  Plan plan = make_plan(prepared.model, &stats, recipe, prepared.unfolded);
  round_with_energies(prepared.model, &stats, recipe, prepared.unfolded, &samples, onnx_runtime(),
                      progress, plan, kept_bytes);
  std::vector<std::vector<std::int16_t>> integers;
  for (const LayerPlan& layer : plan.layers) integers.push_back(layer.stored);
  return integers;
}

TEST(RoundWithEnergies, GoesOnFromKeptValuesToTheSameIntegers) {
  std::size_t kept = 0;
  const auto count_kept = [&](const std::string& what, std::size_t, std::size_t) {
    kept += what == "values of the samples" ? 1U : 0U;
  };
  const auto from_samples = rounded(0, count_kept);
  EXPECT_EQ(kept, 0U);
  const auto from_kept = rounded(default_kept_bytes, count_kept);
  EXPECT_GT(kept, 0U);
  ASSERT_EQ(from_kept.size(), 4U);
  EXPECT_EQ(from_kept, from_samples);
}

}  // namespace
}  // namespace ocs
