// The forms of a split differ in cost alone: the engine's outputs are the same to the last bit.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/export/qdq.h"
#include "ocs/plan/make_plan.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// A pointwise Conv, a depthwise one, a pool and a split Conv behind; a second reader of `a` blocks
// the forms that need the producer.
std::string network(bool with_second_reader) {
  return std::string(R"(
    input x float[1, 8, 8, 8];
    init w0 float[16, 8, 1, 1] random 1;
    init wd float[16, 1, 3, 3] random 2;
    init w1 float[12, 16, 3, 3] random 3;
    c0: a0 = Conv(x, w0);
    r0: a = Relu(a0);
    dw: d = Conv(a, wd) {group = 16, pads = [1, 1, 1, 1]};
    p: e = MaxPool(d) {kernel_shape = [2, 2], strides = [2, 2]};
    c1: y = Conv(e, w1) {pads = [1, 1, 1, 1]};
    output y float[1, 12, 4, 4];
  )") + (with_second_reader ? "n: z = Neg(e); output z;" : "");
}

Tensor output_of(const std::string& text, const Recipe& recipe, std::string* form = nullptr) {
  const Model model = text_model(text);
  CalibrationStats stats;
  Random random(7);
  for (const char* value : {"x", "a", "d", "e", "y"}) {
    std::vector<float> seen = random.normals(500, 4.0F);
    if (value[0] == 'a')
      std::ranges::transform(seen, seen.begin(), [](float v) { return std::max(v, 0.0F); });
    stats.tensors[value].histogram.add(seen);
  }
  const Plan plan = make_plan(model, &stats, recipe, {});
  const LayerPlan& layer = *std::ranges::find(plan.layers, "c1", &LayerPlan::node);
  EXPECT_FALSE(layer.copies.empty());
  if (form != nullptr) *form = std::to_string(static_cast<int>(layer.form));
  const NamedTensors inputs{{"x", {.shape = {1, 8, 8, 8}, .values = Random(9).normals(512)}}};
  return run_once(onnx_runtime()(write_qdq(model, plan), {}), inputs).at("y");
}

class SplitForms : public testing::TestWithParam<std::tuple<int, bool, SplitParts, bool>> {};

TEST_P(SplitForms, AreBitIdenticalInTheEngine) {
  const auto [bits, with_second_reader, parts, activations_float] = GetParam();
  Recipe recipe{.weight_bits = bits,
                .weight_granularity = Granularity::tensor,
                .expand_ratio = 0.3,
                .split_parts = parts,
                .split_form = SplitForm::gather,
                .bias_correction = false};
  if (activations_float) recipe.act_bits.reset();
  const Tensor gathered = output_of(network(with_second_reader), recipe);
  for (const SplitForm form :
       {SplitForm::slice, SplitForm::fold, SplitForm::virtual_, SplitForm::automatic}) {
    recipe.split_form = form;
    const Tensor other = output_of(network(with_second_reader), recipe);
    if (activations_float) {  // sums in float depend on the order of the channels
      for (std::size_t i = 0; i < other.as<float>().size(); ++i)
        EXPECT_NEAR(other.as<float>()[i], gathered.as<float>()[i], 1e-3F);
    } else {
      EXPECT_EQ(other, gathered) << "form " << static_cast<int>(form);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BitsReadersPartsActivations, SplitForms,
                         testing::Combine(testing::Values(8, 4), testing::Bool(),
                                          testing::Values(SplitParts::equal, SplitParts::halving),
                                          testing::Bool()));

TEST(SplitForms, AreThoseAskedForWhereTheGraphAllows) {
  Recipe recipe{
      .weight_granularity = Granularity::tensor, .expand_ratio = 0.3, .bias_correction = false};
  std::string form;
  for (const SplitForm wanted : {SplitForm::gather, SplitForm::slice, SplitForm::fold}) {
    recipe.split_form = wanted;
    (void)output_of(network(false), recipe, &form);
    EXPECT_EQ(form, std::to_string(static_cast<int>(wanted)));
  }
  recipe.weight_bits = 4;
  recipe.split_form = SplitForm::virtual_;
  (void)output_of(network(false), recipe, &form);
  EXPECT_EQ(form, std::to_string(static_cast<int>(SplitForm::virtual_)));
}

}  // namespace
}  // namespace ocs
