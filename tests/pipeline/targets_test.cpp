// Models written for other engines: each takes its own form of integers, and ocs lint has nothing to say against it.
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/lint/forecast.h"
#include "ocs/passes/name_nodes.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/recipe/target_form.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::Each;
using testing::HasSubstr;

// A residual block between two layers, a pool, a decoder whose result leaves the graph.
constexpr auto network = R"(
  input x float[1, 3, 8, 8];
  init a float[16, 3, 3, 3] random 1; init ab float[16] random 2; init b float[16, 16, 3, 3] random 3;
  init c float[16, 16, 1, 1] random 4; init cb float[16] random 5; init f float[10, 16] random 6; init fb float[10] random 7;
  first: y1 = Conv(x, a, ab) {kernel_shape = [3, 3], pads = [1, 1, 1, 1]}; relu1: y2 = Relu(y1);
  inner: y3 = Conv(y2, b) {kernel_shape = [3, 3], pads = [1, 1, 1, 1]}; plus: y4 = Add(y3, y2); relu2: y5 = Relu(y4);
  pool: y6 = MaxPool(y5) {kernel_shape = [2, 2], strides = [2, 2]};
  last: y7 = Conv(y6, c, cb) {kernel_shape = [1, 1]}; mean: y8 = GlobalAveragePool(y7); flat: y9 = Flatten(y8);
  fc: y = Gemm(y9, f, fb) {transB = 1};
  output y float[1, 10];
)";

Quantized quantized_for(std::string_view target, Recipe recipe = built_in_recipe("int8")) {
  recipe.target = target;
  recipe.fallback = false;
  const Samples samples = random_samples("x", {1, 3, 8, 8}, 32);
  return quantize(text_model(network), &samples, recipe, onnx_runtime(), {});
}

double sqnr_of(const Quantized& result) { return result.report.outputs.at(0).sqnr_db; }

const onnx::TensorProto& tensor_of(const Graph& graph, const onnx::NodeProto& node, int input) {
  const onnx::TensorProto* tensor = graph.initializer(node.input(input));
  if (tensor == nullptr) throw_internal("input of '" + node.name() + "' is no initializer");
  return *tensor;
}

// Calls visit(node) for all QuantizeLinear and DequantizeLinear.
template <typename Visit>
void for_each_pair(const Model& model, Visit&& visit) {
  for (const auto& node : model.graph().node())
    if (node.op_type() == "QuantizeLinear" || node.op_type() == "DequantizeLinear") visit(node);
}

TEST(Targets, AreThoseOfLint) { EXPECT_EQ(target_names(), lint_target_names()); }

TEST(Targets, HaveNothingToComplainAbout) {
  for (const std::string& name : target_names()) {
    SCOPED_TRACE(name);
    const Model model = name_nodes(quantized_for(name).model.clone()).model;
    const LintForecast result = forecast(model, lint_target(name));
    for (const auto& node : result.nodes)
      EXPECT_TRUE(node.is_fused()) << node.name << ": " << node.reason;
    EXPECT_TRUE(result.is_clean());
  }
}

// Whatever is rounded how, and however copies are written: virtual ones have larger integers than their parts.
TEST(Targets, OfAnyX86NeverSaturateSumsOf16Bits) {
  std::size_t warned_elsewhere = 0;
  for (const char* base : {"int8-per-tensor", "int8", "best"})
    for (const int bits : {8, 7, 6})
      for (const double ratio : {0.0, 0.4}) {
        SCOPED_TRACE(fmt::format("{}, {} bits, {}", base, bits, ratio));
        Recipe recipe = built_in_recipe(base);
        recipe.weight_bits = bits;
        clear_copies(recipe);
        recipe.expand_ratio = ratio;
        const auto warnings = [&](std::string_view target) {
          const Quantized result = quantized_for(target, recipe);
          return forecast(result.model, lint_target("ort-cpu-avx2")).warnings;
        };
        EXPECT_EQ(warnings("ort-cpu"), 0U);
        warned_elsewhere += warnings("ort-cpu-vnni");
      }
  EXPECT_GT(warned_elsewhere, 0U);
}

// Neighbouring weights of one sign meet data at the upper end: what is written for engines that add in 32 bits is off by half where
// this processor adds in 16.
TEST(Targets, AreMeasuredAsTheirEngineComputesWhateverProcessorThisIs) {
  // The second has layers of equal weights, which the engine's precise kernels refuse.
  const auto models = {
      "input x float[1, 64]; init w float[64, 8] ones; m: y = MatMul(x, w); output y float[1, 8];",
      "input x float[1, 64]; init w float[64, 8] ones; init v float[64, 8] ones;"
      "m: y = MatMul(x, w); n: z = MatMul(x, v); output y float[1, 8]; output z float[1, 8];"};
  const Samples samples{.count = 32, .load = [](std::size_t i) {
                          Tensor x = random_tensor({1, 64}, i);
                          for (float& value : x.as<float>()) value = 8.0F + value / 8.0F;
                          return Sample{.name = "s", .inputs = {{"x", std::move(x)}}};
                        }};
  for (const char* text : models) {
    for (const char* target : {"ort-cpu", "ort-cpu-vnni", "qnn"}) {
      SCOPED_TRACE(fmt::format("{} {}", target, text));
      Recipe recipe = built_in_recipe("int8");
      recipe.target = target;
      const Quantized result = quantize(text_model(text), &samples, recipe, onnx_runtime(), {});
      for (const auto& output : result.report.outputs) EXPECT_GT(output.sqnr_db, 30.0);
      for (const auto& layer : result.report.layers)
        EXPECT_GT(layer.sqnr_db.value_or(0.0), 30.0) << layer.name();
    }
  }
}

TEST(Targets, OfTensorRTAreSignedAroundZeroWithFloatBiases) {
  const Quantized result = quantized_for("tensorrt");
  const Graph graph(result.model);
  for_each_pair(result.model, [&](const onnx::NodeProto& node) {
    const onnx::TensorProto& zero = tensor_of(graph, node, 2);
    EXPECT_EQ(zero.data_type(), onnx::TensorProto::INT8) << node.name();
    EXPECT_THAT(read_tensor(graph, zero.name()).as<std::int8_t>(), Each(0)) << node.name();
  });
  for (const char* layer : {"first", "fc"})
    EXPECT_EQ(tensor_of(graph, *graph.node_named(layer), 2).data_type(), onnx::TensorProto::FLOAT);
  // Seven bits and a sign, where uint8 has eight behind a Relu: at most a bit is lost.
  EXPECT_GT(sqnr_of(result), sqnr_of(quantized_for("ort-cpu-vnni")) - 7.0);
}

TEST(Targets, OfVitisHaveOnePowerOfTwoATensor) {
  for (const Clip& clip : {Clip(MaxClip{}), Clip(MseClip{})}) {
    Recipe recipe = built_in_recipe("int8");
    recipe.weight_clip = clip;
    const Quantized result = quantized_for("vitis", recipe);
    const Graph graph(result.model);
    for_each_pair(result.model, [&](const onnx::NodeProto& node) {
      const Tensor scale = read_tensor(graph, node.input(1));
      ASSERT_TRUE(scale.shape.empty()) << node.name();
      int exponent = 0;
      EXPECT_EQ(std::frexp(scale.as<float>()[0], &exponent), 0.5F) << node.name();
      EXPECT_EQ(tensor_of(graph, node, 2).data_type(), onnx::TensorProto::INT8) << node.name();
    });
    // A step up to twice as coarse, one for all rows, and biases of 8 bits.
    EXPECT_GT(sqnr_of(result), 15.0);
  }
}

TEST(Targets, OfQnnQuantizeWhatLeavesTheGraph) {
  const Quantized result = quantized_for("qnn");
  const Graph graph(result.model);
  EXPECT_EQ(graph.producer("y")->op_type(), "DequantizeLinear");
  const Quantized plain = quantized_for("ort-cpu-vnni");
  EXPECT_EQ(Graph(plain.model).producer("y")->op_type(), "Gemm");
}

TEST(Targets, OfQnnAndVitisHaveTheExtentsOfTheData) {
  const auto with_free_batch = [] {
    return text_model(
        "input x float[N, 3, 8, 8]; init w float[16, 3, 3, 3] random 1; c: y = Conv(x, w) "
        "{kernel_shape = [3, 3]}; r: z = Relu(y); output z float[N, 16, 6, 6];");
  };
  const Samples samples = random_samples("x", {1, 3, 8, 8}, 8);
  for (const TargetForm& target : target_forms()) {
    SCOPED_TRACE(target.name);
    Recipe recipe = built_in_recipe("int8");
    recipe.target = target.name;
    const Quantized result = quantize(with_free_batch(), &samples, recipe, onnx_runtime(), {});
    const std::int64_t batch = target.name == "qnn" || target.name == "vitis" ? 1 : -1;
    EXPECT_EQ(result.model.inputs().at(0).shape, (Shape{batch, 3, 8, 8}));
    EXPECT_EQ(result.model.outputs().at(0).shape, (Shape{batch, 16, 6, 6}));
    EXPECT_EQ(forecast(result.model, lint_target(target.name)).refusal, "");
  }
  Recipe recipe = built_in_recipe("weights-only");
  recipe.target = "qnn";
  const Quantized without_data = quantize(with_free_batch(), nullptr, recipe, onnx_runtime(), {});
  EXPECT_THAT(without_data.report.notes.back().text,
              HasSubstr("without data the inputs keep theirs"));
}

TEST(Targets, TakeGptqWithItsScales) {
  Recipe recipe = built_in_recipe("best");
  const Quantized result = quantized_for("vitis", recipe);
  const Graph graph(result.model);
  for_each_pair(result.model, [&](const onnx::NodeProto& node) {
    int exponent = 0;
    EXPECT_EQ(std::frexp(read_tensor(graph, node.input(1)).as<float>()[0], &exponent), 0.5F)
        << node.name();
  });
}

TEST(Targets, RefuseWhatTheyCannotHold) {
  Recipe recipe = built_in_recipe("int8");
  recipe.target = "vitis";
  recipe.fold_batchnorm = false;
  try {
    check(recipe);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("target vitis: one scale a tensor, so only with fold_batchnorm on"));
  }
  recipe.fold_batchnorm = true;
  check(recipe);
  const auto expect_refused = [&](const char* key, const char* value) {
    Recipe other = recipe;
    set_option(other, key, value);
    EXPECT_THROW(check(other), Error) << key;
  };
  expect_refused("act_bits", "16");
  expect_refused("act_scales", "dynamic");
  expect_refused("act_expand_ratio", "0.05");
  expect_refused("override", "inner:act_bits=16");
  expect_refused("override", "inner:weight_granularity=channel");
}

}  // namespace
}  // namespace ocs
