// Weights of recurrent nodes, against the float model whose weights were rounded by the formula.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/processor.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// W random 1, R random 2; attributes and further inputs as the operators have them.
const std::vector<std::string> all_models{
    "input x float[5,2,6]; init w float[1,16,6] random 1; init r float[1,16,4] random 2; y = "
    "LSTM(x, w, r) {hidden_size = 4}",
    "input x float[5,2,6]; input h float[1,2,4]; input c float[1,2,4]; init w float[1,16,6] random "
    "1; init r float[1,16,4] random 2; "
    "init b float[1,32] random 3; init p float[1,12] random 4; y = LSTM(x, w, r, b, , h, c, p) "
    "{hidden_size = 4, clip = 1.5}",
    "input x float[5,2,6]; init w float[2,16,6] random 1; init r float[2,16,4] random 2; "
    "y = LSTM(x, w, r) {hidden_size = 4, direction = \"bidirectional\"}",
    "input x float[5,2,6]; init w float[1,12,6] random 1; init r float[1,12,4] random 2; init b "
    "float[1,24] random 3; "
    "y = GRU(x, w, r, b) {hidden_size = 4, linear_before_reset = 1, direction = \"reverse\"}",
    "input x float[5,2,6]; init w float[1,12,6] random 1; init r float[1,12,4] random 2; , y = "
    "GRU(x, w, r) {hidden_size = 4}",
    "input x float[5,2,6]; init w float[2,4,6] random 1; init r float[2,4,4] random 2; "
    "y = RNN(x, w, r) {hidden_size = 4, direction = \"bidirectional\", activations = [\"Relu\", "
    "\"Tanh\"]}",
    // Optional inputs and outputs left out, in the middle too; other activation functions.
    "input x float[5,2,6]; init w float[1,16,6] random 1; init r float[1,16,4] random 2; init l "
    "int32[2] {5, 3}; init c float[1,2,4] random 5; init p float[1,12] random 4; , , y = LSTM(x, "
    "w, "
    "r, , l, , c, p) {hidden_size = 4, input_forget = 1, activations = [\"HardSigmoid\", "
    "\"ScaledTanh\", \"Affine\"], activation_alpha = [0.3, 0.9, 0.5], activation_beta = [0.4, 0.8, "
    "0.1]}",
    "input x float[5,2,6]; input h float[2,2,4]; init w float[2,12,6] random 1; init r "
    "float[2,12,4] "
    "random 2; , y = GRU(x, w, r, , , h) {hidden_size = 4, direction = \"bidirectional\", "
    "activations "
    "= [\"HardSigmoid\", \"Softsign\", \"Sigmoid\", \"Elu\"]}",
    "input x float[5,2,6]; init w float[1,4,6] random 1; init r float[1,4,4] random 2; init b "
    "float[1,8] random 3; y, h = RNN(x, w, r, b) {hidden_size = 4, activations = "
    "[\"ThresholdedRelu\"]}",
};

Recipe five_bits() {
  Recipe recipe = built_in_recipe("weights-only");
  recipe.weight_bits = 5;
  recipe.weight_granularity = Granularity::tensor;
  recipe.fill_multiples = false;
  return recipe;
}

// To the grid -15 .. 15 that the largest magnitude spans; with `by_row` one grid for each row of the last axis.
Tensor rounded(Tensor weight, bool by_row) {
  const std::span<float> values = weight.as<float>();
  const auto row_size =
      static_cast<std::size_t>(by_row ? weight.shape.back() : element_count(weight.shape));
  for (std::size_t begin = 0; begin < values.size(); begin += row_size) {
    const std::span<float> row = values.subspan(begin, row_size);
    float largest = 0.0F;
    for (const float value : row) largest = std::max(largest, std::fabs(value));
    const float step = largest / 15.0F;
    for (float& value : row) value = std::nearbyint(value / step) * step;
  }
  return weight;
}

Tensor expected(const Model& model, bool by_row) {
  Model slow = model.clone();
  for (onnx::TensorProto& tensor : *slow.graph().mutable_initializer())
    if (tensor.name() == "w" || tensor.name() == "r")
      tensor = to_proto(rounded(initializer_of(model, tensor.name()), by_row), tensor.name());
  return run_once(onnx_runtime()(slow, {}), random_inputs(model, 9)).at("y");
}

void expect_near(const Tensor& found, const Tensor& wanted) {
  ASSERT_EQ(found.shape, wanted.shape);
  for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
    EXPECT_NEAR(found.as<float>()[i], wanted.as<float>()[i], 1e-5F) << i;  // sums in another order
}

TEST(QuantizedRecurrentNode, ComputesWithRoundedWeights) {
  for (const std::string& text : all_models) {
    SCOPED_TRACE(text);
    const Model model = text_model(text + "; output y");
    const Quantized result = quantize(model.clone(), nullptr, five_bits(), onnx_runtime(), {});
    ASSERT_EQ(result.report.layers.size(), 2U);
    EXPECT_TRUE(result.report.layers[0].quantized && result.report.layers[1].quantized);
    EXPECT_THAT(result.report.layers[0].name(), testing::EndsWith(".W"));
    EXPECT_THAT(result.report.layers[1].name(), testing::EndsWith(".R"));
    const Tensor found =
        run_once(onnx_runtime()(result.model, {}), random_inputs(model, 9)).at("y");
    expect_near(found, expected(model, false));
    EXPECT_NE(found, run_once(onnx_runtime()(model, {}), random_inputs(model, 9)).at("y"));
  }
}

TEST(QuantizedRecurrentNode, HasAScaleForEachRowOfEachDirection) {
  Recipe recipe = five_bits();
  recipe.weight_granularity = Granularity::channel;
  for (const std::string& text : all_models) {
    SCOPED_TRACE(text);
    const Model model = text_model(text + "; output y");
    for (const double ratio : {0.0, 0.5}) {  // with copies: a row and its copy share a scale
      recipe.expand_ratio = ratio;
      recipe.split_form = SplitForm::virtual_;
      const Quantized whole = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
      recipe.split_form = SplitForm::fold;
      const Quantized wide = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
      const Tensor found =
          run_once(onnx_runtime()(wide.model, {}), random_inputs(model, 9)).at("y");
      expect_near(found,
                  run_once(onnx_runtime()(whole.model, {}), random_inputs(model, 9)).at("y"));
      if (ratio == 0.0) expect_near(found, expected(model, true));
    }
  }
}

TEST(QuantizedRecurrentNode, ComputesTheSameWithInputsAndUnitsSplitOrVirtual) {
  for (const std::string& text : all_models) {
    SCOPED_TRACE(text);
    const Model model = text_model(text + "; output y");
    Recipe recipe = five_bits();
    recipe.expand_ratio = 0.5;
    const auto output = [&](SplitForm form) {
      recipe.split_form = form;
      const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
      EXPECT_EQ(result.report.layers[0].copies, 3);
      EXPECT_EQ(result.report.layers[1].copies, 2);
      EXPECT_EQ(result.report.layers[0].form, form == SplitForm::gather ? "gather" : "virtual");
      EXPECT_EQ(result.report.layers[1].form, form == SplitForm::gather ? "fold" : "virtual");
      return run_once(onnx_runtime()(result.model, {.optimize = false}), random_inputs(model, 9))
          .at("y");
    };
    // Sums of further terms, in another order: the products are the same.
    expect_near(output(SplitForm::gather), output(SplitForm::virtual_));
  }
}

TEST(QuantizedRecurrentNode, HasEachOfItsWeightsMeasuredAlone) {
  const Model model = text_model(all_models[1] + "; output y");
  const Samples samples{.count = 2, .load = [&](std::size_t i) {
                          return Sample{.name = "random", .inputs = random_inputs(model, i + 1)};
                        }};
  const Quantized result = quantize(model.clone(), &samples, five_bits(), onnx_runtime(), {});
  ASSERT_EQ(result.report.layers.size(), 2U);
  for (const LayerReport& layer : result.report.layers) {
    ASSERT_TRUE(layer.sqnr_db.has_value()) << layer.name();
    EXPECT_GT(*layer.sqnr_db, 5.0);
    EXPECT_LT(*layer.sqnr_db, 60.0);
  }
  EXPECT_NE(result.report.layers[0].sqnr_db, result.report.layers[1].sqnr_db);
  EXPECT_EQ(result.report.layers[0].macs, 5 * 2 * 16 * 6);
  EXPECT_EQ(result.report.layers[1].macs, 5 * 2 * 16 * 4);

  // 3 of 6 inputs and 2 of 4 units twice: both weights have 24 rows, W 9 columns, R 6.
  Recipe split = five_bits();
  split.expand_ratio = 0.5;
  const Quantized copied = quantize(model.clone(), &samples, split, onnx_runtime(), {});
  EXPECT_EQ(copied.report.layers[0].extra_macs, 5 * 2 * (24 * 9 - 16 * 6));
  EXPECT_EQ(copied.report.layers[1].extra_macs, 5 * 2 * (24 * 6 - 16 * 4));
}

// A dense layer ahead and one behind: no first layer stays float, and no data are wanted for inputs.
TEST(QuantizedRecurrentNode, KeepsTheActivationsOfItsModelFloatInThePaper) {
  const Model model = text_model(
      "input v float[5,2,3]; init d float[3,6] random 7; x = MatMul(v, d); init w float[1,16,6] "
      "random 1; init r float[1,16,4] random 2; y = LSTM(x, w, r) {hidden_size = 4}; init e "
      "float[4,7] random 8; z = MatMul(y, e); output z");
  Recipe recipe = built_in_recipe("paper");
  const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  ASSERT_EQ(result.report.layers.size(), 4U);
  for (const LayerReport& layer : result.report.layers) {
    EXPECT_TRUE(layer.quantized) << layer.reason;
    EXPECT_EQ(layer.act_bits, std::nullopt);
  }
  for (const onnx::NodeProto& node : result.model.graph().node())
    EXPECT_NE(node.op_type(), "QuantizeLinear");
  recipe.recurrent_float = false;
  EXPECT_THAT([&] { (void)quantize(model.clone(), nullptr, recipe, onnx_runtime(), {}); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("calibration data")));
}

// X behind a Q/DQ pair with the scale of what was seen; states and results stay float.
TEST(QuantizedRecurrentNode, RoundsItsInputsWhereAsked) {
  for (const std::string& text : all_models) {
    SCOPED_TRACE(text);
    const Model model = text_model(text + "; output y");
    const Samples samples{.count = 1, .load = [&](std::size_t) {
                            return Sample{.name = "random", .inputs = random_inputs(model, 9)};
                          }};
    Recipe recipe = five_bits();
    recipe.act_bits = 8;
    recipe.act_range = ActRange::symmetric;
    recipe.act_clip = MaxClip{};
    recipe.fallback = false;
    recipe.recurrent_inputs = true;
    for (const double ratio : {0.0, 0.5}) {
      recipe.expand_ratio = ratio;
      recipe.split_form = SplitForm::gather;
      const Quantized result = quantize(model.clone(), &samples, recipe, onnx_runtime(), {});
      EXPECT_EQ(result.report.layers[0].act_bits, 8);
      EXPECT_EQ(result.report.layers[1].act_bits, std::nullopt);
      // The slow way: the weights alone quantized, run on inputs rounded by the formula.
      Recipe weights_alone = recipe;
      weights_alone.act_bits = std::nullopt;
      weights_alone.recurrent_inputs = false;
      const Quantized weights = quantize(model.clone(), nullptr, weights_alone, onnx_runtime(), {});
      NamedTensors inputs = random_inputs(model, 9);
      const NamedTensors exact = inputs;
      float largest = 0.0F;
      for (const float x : inputs.at("x").as<float>()) largest = std::max(largest, std::fabs(x));
      for (float& x : inputs.at("x").as<float>())
        x = std::nearbyint(x / (largest / 127.0F)) * (largest / 127.0F);
      const Tensor found =
          run_once(onnx_runtime()(result.model, {.optimize = false}), exact).at("y");
      expect_near(found,
                  run_once(onnx_runtime()(weights.model, {.optimize = false}), inputs).at("y"));
      EXPECT_NE(found, run_once(onnx_runtime()(weights.model, {.optimize = false}), exact).at("y"));
    }
    recipe.recurrent_float = true;
    const Quantized paper = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
    EXPECT_EQ(paper.report.layers[0].act_bits, std::nullopt);
  }
}

TEST(QuantizedRecurrentNode, StaysFloatWhereTheEngineDoesNotRunIt) {
  const auto reason = [](const std::string& attributes) {
    const Quantized result = quantize(
        text_model(
            "input x float[5,2,6]; init w float[1,16,6] random 1; init r float[1,16,4] random "
            "2; y = LSTM(x, w, r) {hidden_size = 4, " +
            attributes + "}; output y"),
        nullptr, five_bits(), onnx_runtime(), {});
    EXPECT_TRUE(result.unchanged);
    return result.report.layers.at(0).reason;
  };
  EXPECT_EQ(reason("activations = [\"Sigmoid\", \"Gelu\", \"Tanh\"]"),
            "its activation function 'Gelu' is not run by the engine");
  EXPECT_EQ(reason("activations = [\"Sigmoid\"]"), "it has 1 activation functions, not 3");
}

// Of the two directions each has its scales; optional inputs, and outputs left out.
const std::vector<std::string> lstm_models{all_models[0], all_models[1], all_models[2]};

TEST(DynamicallyQuantizedLstm, ComputesWhatTheRoundedWeightsCompute) {
  for (const std::string& text : lstm_models) {
    SCOPED_TRACE(text);
    const Model model = text_model(text + "; output y float");
    for (const Granularity granularity : {Granularity::tensor, Granularity::channel})
      for (const double ratio : {0.0, 0.5})
        for (const std::string target : {"ort-cpu", "ort-cpu-vnni"}) {
          if (target == "ort-cpu-vnni" && adds_in_16_bits()) continue;  // written for others
          Recipe recipe = five_bits();
          recipe.weight_bits = 8;
          recipe.weight_granularity = granularity;
          recipe.expand_ratio = ratio;
          recipe.split_form = SplitForm::gather;
          recipe.target = target;
          const Quantized weights = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
          recipe.recurrent_form = RecurrentForm::dynamic;
          const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
          EXPECT_THAT(op_types(result.model), testing::Contains("DynamicQuantizeLSTM"));
          EXPECT_THAT(op_types(result.model), testing::Not(testing::Contains("DequantizeLinear")));
          const Tensor found =
              run_once(onnx_runtime()(result.model, {}), random_inputs(model, 9)).at("y");
          const Tensor wanted =
              run_once(onnx_runtime()(weights.model, {}), random_inputs(model, 9)).at("y");
          ASSERT_EQ(found.shape, wanted.shape);
          // Inputs of up to 3 and states of up to 1 are rounded to 255 steps, and met by ten weights
          // of about 1: each sum is off by some hundredths, each state by less.
          for (std::size_t i = 0; i < wanted.as<float>().size(); ++i)
            EXPECT_NEAR(found.as<float>()[i], wanted.as<float>()[i], 0.05F) << i;
          EXPECT_NE(found, wanted);
        }
  }
}

// The weights' integers and scales are those of the other form, transposed.
TEST(DynamicallyQuantizedLstm, HoldsTheSameIntegers) {
  const Model model = text_model(all_models[2] + "; output y float");  // two directions
  Recipe recipe = five_bits();
  recipe.weight_bits = 8;
  recipe.weight_granularity = Granularity::channel;
  const Quantized weights = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  const Tensor plain = initializer_of(weights.model, "w_quantized");  // [2 * 16, 6]
  recipe.recurrent_form = RecurrentForm::dynamic;
  const Quantized shifted = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  recipe.target = "ort-cpu-vnni";
  const Quantized as_signed = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  const Tensor w = initializer_of(as_signed.model, "w_quantized");
  const Tensor u = initializer_of(shifted.model, "w_quantized");
  ASSERT_THAT(w.shape, testing::ElementsAre(2, 6, 16));
  ASSERT_EQ(u.shape, w.shape);
  for (std::size_t d = 0; d < 2; ++d)
    for (std::size_t row = 0; row < 16; ++row)
      for (std::size_t column = 0; column < 6; ++column) {
        const std::int8_t level = plain.as<std::int8_t>()[(d * 16 + row) * 6 + column];
        const std::size_t at = (d * 6 + column) * 16 + row;
        EXPECT_EQ(w.as<std::int8_t>()[at], level);
        EXPECT_EQ(u.as<std::uint8_t>()[at], level + 128);
      }
  const Tensor scales = initializer_of(as_signed.model, "w_scale");
  EXPECT_THAT(scales.shape, testing::ElementsAre(2, 16));
  EXPECT_EQ(scales.values, initializer_of(weights.model, "w_scale").values);
}

TEST(DynamicallyQuantizedLstm, IsWrittenForLstmWithBothWeightsInEightBits) {
  Recipe recipe = five_bits();
  recipe.recurrent_form = RecurrentForm::dynamic;
  const Model model = text_model(
      "input x float[5,2,6]; init w float[1,16,6] random 1; init r "
      "float[1,16,4] random 2; l: y = LSTM(x, w, r) {hidden_size = 4}; "
      "output y float");
  EXPECT_THAT([&] { (void)quantize(model.clone(), nullptr, recipe, onnx_runtime(), {}); },
              testing::ThrowsMessage<Error>(
                  "node 'l': recurrent_form dynamic takes weights of 8 bits, not 5"));
  recipe.weight_bits = 8;
  recipe.keep_float = {"l.W"};
  const Quantized one = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  EXPECT_THAT(op_types(one.model), testing::Contains("LSTM"));
  EXPECT_THAT(
      one.report.layers[0].quantized ? one.report.layers[0].reason : one.report.layers[1].reason,
      testing::HasSubstr("W or R stays float"));
  recipe.keep_float = {};
  const Quantized gru =
      quantize(text_model(all_models[4] + "; output y float"), nullptr, recipe, onnx_runtime(), {});
  EXPECT_THAT(op_types(gru.model), testing::Contains("GRU"));
  recipe.recurrent_inputs = true;
  EXPECT_THAT([&] { check(recipe); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("recurrent_inputs")));
}

// Before anything is written, and not as a bug of ours.
TEST(QuantizedRecurrentNode, RefusesSizesThatDisagree) {
  const auto complaint = [](const std::string& text) {
    Recipe recipe = five_bits();
    recipe.expand_ratio = 0.5;
    recipe.split_form = SplitForm::fold;
    try {
      (void)quantize(text_model("input x float[5,2,6]; " + text + "; output y"), nullptr, recipe,
                     onnx_runtime(), {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::bad_input);
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  const std::string weights =
      "init w float[1,16,6] random 1; init r float[1,16,4] random 2; init b float[1,30] random 3; "
      "init "
      "h float[1,2,3] random 4; init p float[2,12] random 5; l: y = LSTM(x, w, r";
  EXPECT_EQ(complaint(weights + ") {hidden_size = 5}"),
            "node 'l' (LSTM): weight of shape [1,16,4]: attribute hidden_size is 5");
  EXPECT_EQ(complaint(weights + ", b) {hidden_size = 4}"),
            "node 'l' (LSTM): 'b' has the shape [1,30] where [1,32] is needed");
  EXPECT_EQ(complaint(weights + ", , , h) {hidden_size = 4}"),
            "node 'l' (LSTM): 'h' has the shape [1,2,3] where [1,?,4] is needed");
  EXPECT_EQ(complaint(weights + ", , , , h) {hidden_size = 4}"),
            "node 'l' (LSTM): 'h' has the shape [1,2,3] where [1,?,4] is needed");
  EXPECT_EQ(complaint(weights + ", , , , , p) {hidden_size = 4}"),
            "node 'l' (LSTM): 'p' has the shape [2,12] where [1,12] is needed");
  EXPECT_EQ(complaint(weights + ") {hidden_size = 4, direction = \"bidirectional\"}"),
            "node 'l' (LSTM): 'w' has the shape [1,16,6] where [2,16,?] is needed");
  EXPECT_EQ(complaint(weights + ") {hidden_size = 4, direction = \"both\"}"),
            "node 'l' (LSTM): direction 'both' is none of forward, reverse, bidirectional");
  EXPECT_EQ(
      complaint("init w float[1,16,6] random 1; init r float[1,12,4] random 2; l: y = LSTM(x, "
                "w, r) {hidden_size = 4}"),
      "node 'l' (LSTM): 'r' has the shape [1,12,4] where [1,16,4] is needed");
  EXPECT_EQ(
      complaint("init w float[16,6] random 1; init r float[16,4] random 2; l: y = LSTM(x, w, r) "
                "{hidden_size = 4}"),
      "node 'l' (LSTM): weight of shape [16,4]: 3 axes are needed");
}

TEST(QuantizedRecurrentNode, StaysAsItIsWithTheOtherLayout) {
  const Quantized result = quantize(
      text_model(
          "input x float[2,5,6]; init w float[1,16,6] random 1; init r float[1,16,4] random 2; "
          "y = LSTM(x, w, r) {hidden_size = 4, layout = 1}; output y"),
      nullptr, five_bits(), onnx_runtime(), {});
  EXPECT_TRUE(result.unchanged);
  EXPECT_THAT(result.report.layers.at(0).reason, testing::HasSubstr("layout 1"));
}

}  // namespace
}  // namespace ocs
