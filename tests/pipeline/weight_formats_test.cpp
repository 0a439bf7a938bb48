// Weights in blocks and in tensors of fewer than 8 bits, run by the engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/plan/rounded_model.h"
#include "ocs/quant/scale_index.h"
#include "ocs/recipe/recipe_json.h"
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

// A MatMul and a Gemm whose inputs fill blocks of 16.
constexpr auto filled = R"(
  input x float[N, 64];
  init w float[64, 32] random 2; init g float[10, 32] random 3; init b float[10] random 4;
  mat: e = MatMul(x, w); act: f = Tanh(e); fc: y = Gemm(f, g, b) {transB = 1};
  output y float[N, 10];
)";

// Further inputs for a tenth of those: a block of 16 in both.
Recipe with_residuals(Rounding rounding = NearestRounding{}) {
  Recipe recipe = recipe_of(4, 16);
  recipe.expand_ratio = 0.1;
  recipe.rounding = std::move(rounding);
  return recipe;
}

Quantized quantized_filled(const Recipe& recipe) {
  const Samples samples = random_samples("x", {1, 64}, 64);
  return quantize(text_model(filled), &samples, recipe, onnx_runtime(), {});
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

void expect_read_as_meant(const char* text, const Samples& samples, const Recipe& recipe) {
  SCOPED_TRACE(to_json(recipe).dump());
  PlannedNetwork planned = plan_network(text_model(text), &samples, recipe, onnx_runtime(), {});
  const Model written = quantize(text_model(text), &samples, recipe, onnx_runtime(), {}).model;
  Model meant = planned.prepared.model.clone();
  for (const LayerPlan& layer : planned.plan.layers) replace_by_rounded(meant, layer);
  const RunModel run = onnx_runtime()(written, {.optimize = false});
  const RunModel wanted = onnx_runtime()(meant, {});
  for (std::size_t i = 0; i < 4; ++i) {
    const NamedTensors inputs = samples.load(i).inputs;
    EXPECT_THAT(run_once(run, inputs).at("y").as<float>(),
                testing::Pointwise(testing::FloatNear(2e-4F),
                                   run_once(wanted, inputs).at("y").as<float>()));
  }
}

// The engine's own reading of every form, against integers times scales.
TEST(WeightFormats, AreReadByTheEngineAsTheyAreMeant) {
  for (const Recipe& recipe :
       {recipe_of(4, 16), recipe_of(2, 16), recipe_of(8, 32),
        recipe_of(3, 0, WeightStorage::packed), recipe_of(2, 0, WeightStorage::packed),
        recipe_of(4, 32, WeightStorage::int8)})
    expect_read_as_meant(network, random_samples("x", {1, 3, 4, 4}, 16), recipe);
  for (const Recipe& recipe : {with_residuals(), with_residuals(GptqRounding{}),
                               with_residuals(GptqRounding{.sequential = true})})
    expect_read_as_meant(filled, random_samples("x", {1, 64}, 64), recipe);
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
  EXPECT_THAT(report.layers.at(1).reason, HasSubstr("its 72 inputs do not fill blocks of 16"));
}

TEST(WeightFormats, GiveBlocksInputsForWhatRoundingLeaves) {
  const Quantized result = quantized_filled(with_residuals());
  const LayerReport& layer = result.report.layers.at(0);
  EXPECT_EQ(layer.copies, 16);
  EXPECT_EQ(layer.form, "residual");
  EXPECT_EQ(layer.weights, 64 * 32);
  EXPECT_EQ(layer.extra_weights, 16 * 32);
  EXPECT_EQ(layer.extra_macs, layer.macs / 4);
  EXPECT_EQ(shape_of(integers_of(result.model, "w")), (Shape{80, 32}));
  EXPECT_EQ(result.report.layers.at(1).extra_weights, 16 * 10);
  EXPECT_EQ(initializer_of(result.model, dequantize_of(result.model, "w").input(1)).shape,
            (Shape{5, 32}));
}

TEST(WeightFormats, LoseLessWithResidualColumns) {
  for (const Rounding& rounding : {Rounding(NearestRounding{}), Rounding(GptqRounding{}),
                                   Rounding(GptqRounding{.sequential = true})}) {
    SCOPED_TRACE(to_string(rounding));
    Recipe without = with_residuals(rounding);
    without.expand_ratio = 0.0;
    const Quantized some = quantized_filled(with_residuals(rounding));
    const Quantized none = quantized_filled(without);
    EXPECT_GT(some.report.outputs.at(0).sqnr_db, none.report.outputs.at(0).sqnr_db + 0.5);
  }
  // All inputs twice: the residuals have a grid of their own, about 14 times as fine.
  Recipe all = with_residuals();
  all.expand_ratio = 1.0;
  Recipe none = all;
  none.expand_ratio = 0.0;
  EXPECT_GT(quantized_filled(all).report.outputs.at(0).sqnr_db,
            quantized_filled(none).report.outputs.at(0).sqnr_db + 20.0);
}

TEST(WeightFormats, LeaveTheDataOfTheOracleAsTheyAre) {
  Recipe recipe = with_residuals();
  recipe.act_bits = 8;
  recipe.act_scope = ActScope::inputs;
  recipe.act_split = ActSplit::oracle;
  recipe.act_expand_ratio = 0.05;
  const Report report = quantized_filled(recipe).report;
  EXPECT_EQ(report.layers.at(0).copies, 0);
  EXPECT_THAT(report.layers.at(0).reason, HasSubstr("oracle"));
}

// The layer behind has copies, which the layer in front could make: but its rows are in blocks.
TEST(WeightFormats, KeepTheRowsOfBlocksInTheirOrder) {
  constexpr auto text = R"(
    input x float[N, 64];
    init w float[64, 32] random 2; init c float[32] random 5; init g float[32, 10] random 3;
    first: e = Gemm(x, w, c); act: f = Relu(e); second: y = Gemm(f, g);
    output y float[N, 10];
  )";
  for (const SplitForm form : {SplitForm::fold, SplitForm::slice, SplitForm::automatic}) {
    Recipe recipe = recipe_of(8, 32);
    recipe.expand_ratio = 0.05;
    recipe.split_form = form;
    expect_read_as_meant(text, random_samples("x", {1, 64}, 16), recipe);
  }
}

TEST(WeightFormats, AskForFoldedBatchNormalization) {
  constexpr auto text = R"(
    input x float[N, 64];
    init w float[64, 32] random 2; init b float[32] random 3; init s float[32] ones;
    init o float[32] zeros; init m float[32] zeros; init v float[32] ones;
    first: e = Gemm(x, w, b); norm: y = BatchNormalization(e, s, o, m, v);
    output y float[N, 32];
  )";
  Recipe recipe = recipe_of(4, 16);
  recipe.fold_batchnorm = false;
  const Samples samples = random_samples("x", {1, 64}, 16);
  const Report report = quantize(text_model(text), &samples, recipe, onnx_runtime(), {}).report;
  EXPECT_THAT(report.layers.at(0).reason, HasSubstr("blocks ask for fold_batchnorm"));
  EXPECT_GT(report.outputs.at(0).sqnr_db, 12.0);
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

  Recipe residuals = recipe_of(4, 32);
  residuals.expand_ratio = 0.05;
  const Model wider = quantize(model.clone(), nullptr, residuals, onnx_runtime(), {}).model;
  static_cast<void>(onnx_runtime()(wider, {.optimized_model_file = file}));
  EXPECT_THAT(op_types(read_model(file)), testing::Contains("MatMulNBits"));
}

}  // namespace
}  // namespace ocs
