// Layers in the bodies of If and Loop, against the same layers outside of any body.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/walk.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// x [5, 2, 6] -> LSTM -> MatMul with a weight of both branches; and a Conv over x as a map, then the
// MatMul. Names but those of results are the same in both.
const std::string recurrent_steps =
    "y0, h = LSTM(a, w, r, b, , h0) {hidden_size = 4}; s = Squeeze(h); t = MatMul(s, shared); ";
const std::string recurrent_weights =
    "init w float[1,16,6] random 1; init r float[1,16,4] random 2; init b float[1,32] random 3; ";
const std::string map_steps =
    "m = Unsqueeze(a, one); c = Conv(m, w, b) {pads = [1,1,1,1]}; s = ReduceMean(c) {axes = [0,3], "
    "keepdims = 0}; v = Transpose(s); n = Relu(v); t = MatMul(n, shared); ";
const std::string map_weights = "init w float[4,1,3,3] random 4; init b float[4] random 5; ";
const std::string outside =
    "input x float[5,2,6]; input h0 float[1,2,4]; init shared float[4,3] random 6; init one "
    "int64[1] "
    "{1}; a = Neg(x); ";

Model branching() {
  return text_model(outside + "input cond bool[]; out = If(cond) {then_branch = graph { " +
                    recurrent_weights + recurrent_steps + "output t; }, else_branch = graph { " +
                    map_weights + map_steps + "output t; }}; output out float");
}

Model straight(bool is_then) {
  return text_model(outside +
                    (is_then ? recurrent_weights + recurrent_steps : map_weights + map_steps) +
                    "out = Identity(t); output out float");
}

NamedTensors inputs(bool condition) {
  return {{"x", random_tensor({5, 2, 6}, 1)},
          {"h0", random_tensor({1, 2, 4}, 2)},
          {"cond", {.values = std::vector<Boolean>{Boolean{condition}}}}};
}

// Not optimized: the engine joins a MatMul and the DequantizeLinear beside it into one node that
// rounds the data too.
Tensor run(const Model& model, NamedTensors values) {
  if (model.inputs().size() == 2) values.erase("cond");
  return run_once(onnx_runtime()(model, {.optimize = false}), values).at("out");
}

Recipe five_bits(SplitForm form) {
  Recipe recipe = built_in_recipe("weights-only");
  recipe.weight_bits = 5;
  recipe.expand_ratio = 0.3;
  recipe.split_form = form;
  recipe.split_first = true;
  recipe.fill_multiples = false;
  return recipe;
}

TEST(QuantizedBodies, ComputeWhatTheSameLayersComputeOutside) {
  for (const SplitForm form : {SplitForm::virtual_, SplitForm::gather, SplitForm::slice,
                               SplitForm::fold, SplitForm::automatic}) {
    const Recipe recipe = five_bits(form);
    const Quantized result = quantize(branching(), nullptr, recipe, onnx_runtime(), {});
    ASSERT_EQ(result.report.layers.size(), 5U);
    for (const LayerReport& layer : result.report.layers) {
      EXPECT_TRUE(layer.quantized) << layer.name();
      EXPECT_GT(layer.copies, 0) << layer.name();
    }
    for (const bool condition : {true, false}) {
      const Quantized slow = quantize(straight(condition), nullptr, recipe, onnx_runtime(), {});
      const Tensor found = run(result.model, inputs(condition));
      const Tensor wanted = run(slow.model, inputs(condition));
      ASSERT_EQ(found.shape, wanted.shape);
      for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
        EXPECT_NEAR(found.as<float>()[i], wanted.as<float>()[i], 1e-5F) << i;
      EXPECT_NE(found, run(branching(), inputs(condition)));
    }
  }
}

std::vector<std::string> initializers(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
  return names;
}

// A weight that two branches read is written once, outside; float weights of bodies are gone.
TEST(QuantizedBodies, ShareTheWeightsOfTheGraphAround) {
  const Quantized result =
      quantize(branching(), nullptr, five_bits(SplitForm::virtual_), onnx_runtime(), {});
  EXPECT_THAT(op_types(result.model), testing::ElementsAre("Neg", "DequantizeLinear", "If"));
  for_each_body(result.model.graph().node(2), [](const onnx::GraphProto& body) {
    EXPECT_THAT(initializers(body), testing::Not(testing::Contains("w")));
    EXPECT_EQ(body.node(body.node_size() - 1).input(1), "shared_DequantizeLinear_Output");
  });
}

TEST(QuantizedBodies, HoldDynamicallyQuantizedLstm) {
  Recipe recipe = five_bits(SplitForm::gather);
  recipe.weight_bits = 8;
  const Quantized weights = quantize(branching(), nullptr, recipe, onnx_runtime(), {});
  recipe.recurrent_form = RecurrentForm::dynamic;
  const Quantized result = quantize(branching(), nullptr, recipe, onnx_runtime(), {});
  const Tensor found = run(result.model, inputs(true));
  const Tensor wanted = run(weights.model, inputs(true));
  EXPECT_NE(found, wanted);
  for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
    EXPECT_NEAR(found.as<float>()[i], wanted.as<float>()[i], 0.1F) << i;
}

// The data stay float, whatever the recipe says of activations; those outside do not.
TEST(QuantizedBodies, KeepTheirDataFloat) {
  const Model model = text_model(
      "input x float[2,4]; input cond bool[]; init w float[4,4] random 1; init v float[4,4] random "
      "2; "
      "outer: u = MatMul(x, w); a = Relu(u); out = If(cond) {then_branch = graph { inner: t = "
      "MatMul(a, v); output t; }, else_branch = graph { e = Neg(a); output e; }}; output out "
      "float");
  const Samples samples{
      .count = 2, .load = [](std::size_t i) {
        return Sample{.inputs = {{"x", random_tensor({2, 4}, i + 1)},
                                 {"cond", {.values = std::vector<Boolean>{Boolean{i == 0}}}}}};
      }};
  Recipe recipe;
  recipe.act_bits = 6;
  recipe.keep_float = {};
  recipe.fallback = false;
  for (const char* rounding : {"nearest", "gptq", "gptq:sequential"}) {
    SCOPED_TRACE(rounding);
    recipe.rounding = parse_rounding(rounding);
    const Quantized result = quantize(model.clone(), &samples, recipe, onnx_runtime(), {});
    ASSERT_EQ(result.report.layers.size(), 2U);
    EXPECT_EQ(result.report.layers[0].act_bits, 6);
    EXPECT_TRUE(result.report.layers[1].quantized);
    EXPECT_EQ(result.report.layers[1].act_bits, std::nullopt);
    (void)run_once(onnx_runtime()(result.model, {}), samples.load(0).inputs);
  }
}

TEST(QuantizedBodies, DequantizeTheWeightsOfALoopOutsideOfIt) {
  const Model model = text_model(R"(input x float[2,4]; init count int64[] {3}; init go bool[] {1};
      out = Loop(count, go, x) {body = graph { input i int64[]; input g bool[]; input h float[2,4];
      init w float[4,4] random 1 * 0.3; a = MatMul(h, w); b = Tanh(a); k = Identity(g); output k; output b; }};
      output out float)");
  const Quantized result =
      quantize(model.clone(), nullptr, five_bits(SplitForm::gather), onnx_runtime(), {});
  EXPECT_THAT(op_types(result.model), testing::ElementsAre("DequantizeLinear", "Loop"));
  Recipe whole = five_bits(SplitForm::virtual_);
  const Quantized other = quantize(model.clone(), nullptr, whole, onnx_runtime(), {});
  const NamedTensors x{{"x", random_tensor({2, 4}, 1)}};
  const Tensor found = run_once(onnx_runtime()(result.model, {}), x).at("out");
  const Tensor wanted = run_once(onnx_runtime()(other.model, {}), x).at("out");
  for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
    EXPECT_NEAR(found.as<float>()[i], wanted.as<float>()[i], 1e-6F) << i;
}

// A Clip that the levels make superfluous goes, and a body reads what is behind the levels.
TEST(QuantizedBodies, ReadRoundedValuesOfTheGraphAround) {
  const Model model = text_model(
      "input x float[1,2,4,4]; input cond bool[]; init w float[2,2,1,1] random 1; init v "
      "float[2,2,1,1] random 2; init low float[] {0}; init high float[] {6}; c = Conv(x, w); a = "
      "Clip(c, "
      "low, high); d = Conv(a, v); out = If(cond) {then_branch = graph { e = Neg(a); output e; }, "
      "else_branch = graph { f = Abs(d); output f; }}; output out float");
  const Samples samples{
      .count = 1, .load = [](std::size_t) {
        return Sample{.inputs = {{"x", random_tensor({1, 2, 4, 4}, 1)},
                                 {"cond", {.values = std::vector<Boolean>{Boolean{true}}}}}};
      }};
  Recipe recipe;
  recipe.act_bits = 4;
  recipe.fallback = false;
  const Quantized result = quantize(model.clone(), &samples, recipe, onnx_runtime(), {});
  const Tensor found = run_once(onnx_runtime()(result.model, {}), samples.load(0).inputs).at("out");
  const Tensor wanted = run_once(onnx_runtime()(model, {}), samples.load(0).inputs).at("out");
  for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
    EXPECT_NEAR(found.as<float>()[i], wanted.as<float>()[i], 0.4F) << i;
}

}  // namespace
}  // namespace ocs
