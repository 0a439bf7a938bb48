// Weights in blocks and in tensors of fewer than 8 bits, run by the engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/plan/rounded_model.h"
#include "ocs/quant/scale_index.h"
#include "support/folder.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

constexpr std::int32_t int4 = 22;
constexpr std::int32_t int2 = 26;

// A MatMul whose inputs are no multiple of a block, a Gemm in the other layout, a Conv.
constexpr auto network = R"(
  input x float[N, 3, 4, 4];
  init c float[8, 3, 2, 2] random 1; init w float[72, 24] random 2; init g float[10, 24] random 3;
  init b float[10] random 4;
  conv: a = Conv(x, c); flat: d = Flatten(a); mat: e = MatMul(d, w); act: f = Tanh(e);
  fc: y = Gemm(f, g, b) {transB = 1};
  output y float[N, 10];
)";

Recipe recipe_of(int bits, int block, WeightStorage storage = WeightStorage::automatic) {
  Recipe recipe = built_in_recipe("weights-only");
  recipe.weight_bits = bits;
  recipe.weight_clip = MseClip{};
  recipe.weight_storage = storage;
  recipe.fallback = false;
  if (block > 0) {
    recipe.weight_granularity = Granularity::block;
    recipe.weight_block = block;
  }
  return recipe;
}

Quantized quantized(const Recipe& recipe) {
  const Samples samples = random_samples("x", {1, 3, 4, 4}, 16);
  return quantize(text_model(network), &samples, recipe, onnx_runtime(), {});
}

const onnx::TensorProto& integers_of(const Model& model, const std::string& weight) {
  for (const onnx::TensorProto& tensor : model.graph().initializer())
    if (tensor.name() == weight + "_quantized") return tensor;
  throw_internal("no integers of " + weight);
}

const onnx::NodeProto& dequantize_of(const Model& model, const std::string& weight) {
  return node_of(model, weight + "_DequantizeLinear");
}

double sqnr_of(const Recipe& recipe) { return quantized(recipe).report.outputs.at(0).sqnr_db; }

TEST(WeightFormats, WriteBlocksAsTheOperatorWantsThem) {
  const Quantized result = quantized(recipe_of(4, 16));
  const Model& model = result.model;
  EXPECT_EQ(model.opset(), 21);
  EXPECT_GE(model.proto().ir_version(), 10);
  EXPECT_EQ(integers_of(model, "w").data_type(), int4);
  EXPECT_EQ(integers_of(model, "w").raw_data().size(), 72U * 24U / 2U);
  EXPECT_EQ(int_attribute(dequantize_of(model, "w"), "block_size", 0), 16);
  EXPECT_EQ(int_attribute(dequantize_of(model, "w"), "axis", -1), 0);
  const Tensor scale = initializer_of(model, dequantize_of(model, "w").input(1));
  EXPECT_EQ(scale.shape, (Shape{5, 24}));
  EXPECT_EQ(dequantize_of(model, "w").input_size(), 2);
  // A Conv has one scale for each output channel, in int8.
  EXPECT_EQ(integers_of(model, "c").data_type(), onnx::TensorProto::INT8);
  EXPECT_THAT(result.report.layers.at(0).reason, HasSubstr("engines know blocks in MatMul"));
}

// The engine's own reading of every form, against integers times scales.
TEST(WeightFormats, AreReadByTheEngineAsTheyAreMeant) {
  for (const Recipe& recipe :
       {recipe_of(4, 16), recipe_of(2, 16), recipe_of(8, 32),
        recipe_of(3, 0, WeightStorage::packed), recipe_of(2, 0, WeightStorage::packed),
        recipe_of(4, 32, WeightStorage::int8)}) {
    const Samples samples = random_samples("x", {1, 3, 4, 4}, 16);
    PlannedNetwork planned =
        plan_network(text_model(network), &samples, recipe, onnx_runtime(), {});
    const Model written = quantize(text_model(network), &samples, recipe, onnx_runtime(), {}).model;
    Model meant = planned.prepared.model.clone();
    for (const LayerPlan& layer : planned.plan.layers) replace_by_rounded(meant, layer);
    const RunModel run = onnx_runtime()(written, {.optimize = false});
    const RunModel wanted = onnx_runtime()(meant, {});
    for (std::size_t i = 0; i < 4; ++i) {
      const NamedTensors inputs = samples.load(i).inputs;
      EXPECT_THAT(run_once(run, inputs).at("y").as<float>(),
                  testing::Pointwise(testing::FloatNear(2e-4F),
                                     run_once(wanted, inputs).at("y").as<float>()))
          << recipe.weight_bits << " bits, block " << recipe.weight_block;
    }
  }
}

TEST(WeightFormats, PackWhatHasFloatActivationsAlone) {
  EXPECT_EQ(integers_of(quantized(recipe_of(2, 16)).model, "w").data_type(), int2);
  EXPECT_EQ(quantized(recipe_of(2, 16)).model.opset(), 25);
  EXPECT_EQ(integers_of(quantized(recipe_of(3, 0, WeightStorage::packed)).model, "c").data_type(),
            int4);
  EXPECT_EQ(integers_of(quantized(recipe_of(4, 0)).model, "c").data_type(),
            onnx::TensorProto::INT8);
  EXPECT_EQ(quantized(recipe_of(4, 0)).model.opset(), 13);
  Recipe integers;
  integers.weight_bits = 4;
  integers.weight_storage = WeightStorage::packed;
  integers.target = "ort-cpu-vnni";
  EXPECT_EQ(integers_of(quantized(integers).model, "c").data_type(), onnx::TensorProto::INT8);
}

// What has no blocks is split as ever.
TEST(WeightFormats, CopyChannelsOfLayersWithoutBlocks) {
  Recipe recipe = recipe_of(4, 16);
  recipe.expand_ratio = 0.5;
  recipe.split_first = true;
  const Report report = quantized(recipe).report;
  EXPECT_GT(report.layers.at(0).copies, 0);
  EXPECT_EQ(report.layers.at(1).copies, 0);
  EXPECT_THAT(report.layers.at(1).reason, HasSubstr("blocks have scales of their own"));
}

TEST(WeightFormats, SmallerBlocksLeaveLessError) {
  const double channel = sqnr_of(recipe_of(4, 0));
  const double wide = sqnr_of(recipe_of(4, 32));
  const double narrow = sqnr_of(recipe_of(4, 16));
  EXPECT_GT(wide, channel);
  EXPECT_GT(narrow, wide);
}

TEST(WeightFormats, RoundBlocksWithTheData) {
  Recipe recipe = recipe_of(3, 16);
  const double nearest = sqnr_of(recipe);
  recipe.rounding = GptqRounding{};
  EXPECT_GT(sqnr_of(recipe), nearest);
  recipe.rounding = GptqRounding{.refine = true};
  EXPECT_THROW(check(recipe), Error);
}

// What blocks are for: the engine takes them as they are.
TEST(WeightFormats, BecomeMatMulNBits) {
  const TestFolder folder;
  const Model model = text_model(
      "input x float[1, 64]; init w float[64, 32] random 1; m: y = MatMul(x, w); "
      "output y float[1, 32];");
  const Model written =
      quantize(model.clone(), nullptr, recipe_of(4, 32), onnx_runtime(), {}).model;
  const std::string file = (folder.path() / "optimized.onnx").string();
  static_cast<void>(onnx_runtime()(written, {.optimized_model_file = file}));
  EXPECT_THAT(op_types(read_model(file)), testing::Contains("MatMulNBits"));
}

}  // namespace
}  // namespace ocs
