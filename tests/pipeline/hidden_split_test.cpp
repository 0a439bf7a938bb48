// Copies of hidden units, written: a wider node that computes what the unsplit integers compute, and the
// outputs as narrow as they were.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

struct Operator {
  const char* name = "";
  int gates = 1;
  const char* attributes = "";
};
const std::vector<Operator> operators{
    {"LSTM", 4, ""}, {"LSTM", 4, ", clip = 1.5, input_forget = 1"},
    {"GRU", 3, ""},  {"GRU", 3, ", linear_before_reset = 1"},
    {"RNN", 1, ""},
};

// Hidden size 5, 6 inputs, 4 steps, batch 2. `options`: bias, states (computed and constant), peepholes,
// lengths.
std::string network(const Operator& op, const std::string& direction, bool with_options,
                    const std::string& outputs) {
  const int directions = direction == "bidirectional" ? 2 : 1;
  const bool is_lstm = std::string(op.name) == "LSTM";
  std::string text = fmt::format(
      "input x float[4,2,6]; init w float[{0},{1},6] random 1; init r float[{0},{1},5] random 2; ",
      directions, 5 * op.gates);
  std::string inputs = "x, w, r";
  if (with_options) {
    text += fmt::format(
        "input s float[{0},2,5]; h = Neg(s); init b float[{0},{1}] random 3; init c float[{0},2,5] "
        "random 4; init p float[{0},15] random 5; init n int32[2] {{3, 4}}; ",
        directions, 10 * op.gates);
    inputs += is_lstm ? ", b, n, h, c, p" : ", b, n, h";
  }
  return text + fmt::format("net: {} = {}({}) {{hidden_size = 5, direction = \"{}\"{}}}; ", outputs,
                            op.name, inputs, direction, op.attributes);
}

Recipe halves(int bits, SplitForm form) {
  Recipe recipe = built_in_recipe("weights-only");
  recipe.weight_bits = bits;
  recipe.weight_granularity = Granularity::tensor;
  recipe.fill_multiples = false;
  recipe.expand_ratio = 0.6;  // 3 of 5 units, 4 of 6 inputs
  recipe.split_form = form;
  return recipe;
}

NamedTensors outputs_of(const Model& quantized, const Model& original) {
  return run_once(onnx_runtime()(quantized, {}), random_inputs(original, 9));
}

void expect_near(const NamedTensors& found, const NamedTensors& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) {
    ASSERT_EQ(found.at(name).shape, tensor.shape) << name;
    for (std::size_t i = 0; i < tensor.as<float>().size(); ++i) {
      const float value = tensor.as<float>()[i];
      EXPECT_NEAR(found.at(name).as<float>()[i], value, 2e-6F * std::max(1.0F, std::fabs(value)))
          << name << " " << i;
    }
  }
}

const onnx::NodeProto& node_of(const Model& model) {
  return *Graph(model).node_named("net");  // points into the model
}

void expect_same_written_and_virtual(const std::string& text) {
  SCOPED_TRACE(text);
  const Model model = text_model(text);
  const Quantized whole =
      quantize(model.clone(), nullptr, halves(5, SplitForm::virtual_), onnx_runtime(), {});
  const Quantized wide =
      quantize(model.clone(), nullptr, halves(5, SplitForm::fold), onnx_runtime(), {});
  EXPECT_EQ(int_attribute(node_of(whole.model), "hidden_size", 0), 5);
  EXPECT_EQ(int_attribute(node_of(wide.model), "hidden_size", 0), 8);
  EXPECT_EQ(node_of(wide.model).domain(), "");
  expect_near(outputs_of(wide.model, model), outputs_of(whole.model, model));
}

TEST(HiddenSplit, ComputesTheSameForAllOperatorsDirectionsAndInputs) {
  for (const Operator& op : operators)
    for (const char* direction : {"forward", "reverse", "bidirectional"})
      for (const bool with_options : {false, true})
        expect_same_written_and_virtual(network(op, direction, with_options, "y, z") +
                                        "output y; output z;");
}

// Rows that hidden units gain count too.
TEST(HiddenSplit, KeepsToABudgetOfCopies) {
  for (const Operator& op : operators) {
    for (const std::string direction : {"forward", "bidirectional"}) {
      SCOPED_TRACE(op.name + (" " + direction));
      Recipe recipe = built_in_recipe("weights-only");
      recipe.weight_bits = 3;
      recipe.weight_clip = MseClip{};
      recipe.mac_budget = 0.5;
      recipe.fill_multiples = false;
      recipe.split_first = true;
      const Quantized result = quantize(text_model(network(op, direction, false, "y") + "output y"),
                                        nullptr, recipe, onnx_runtime(), {});
      double weights = 0.0;
      double extra = 0.0;
      for (const LayerReport& layer : result.report.layers) {
        weights += static_cast<double>(layer.weights);
        extra += static_cast<double>(layer.extra_weights);
      }
      EXPECT_GT(extra, 0.0);
      EXPECT_LE(extra, 0.55 * weights);  // a share of rows and columns at once is a little more
    }
  }
}

TEST(HiddenSplit, CutsBackTheOutputsThatAreUsed) {
  for (const bool with_options : {false, true}) {
    const auto text = [&](const std::string& outputs) {
      return network(operators[0], "bidirectional", with_options, outputs);
    };
    expect_same_written_and_virtual(text("y, h2, c2") + "output y; output h2; output c2;");
    expect_same_written_and_virtual(text(", h2") + "output h2;");
    expect_same_written_and_virtual(text(", , c2") + "output c2;");
    // Read by another node and given out.
    expect_same_written_and_virtual(text("y, , c2") +
                                    "m = Relu(y); output m; output y; output c2;");
  }
}

TEST(HiddenSplit, HoldsWhatDoesNotFitIntoEightBits) {
  const Model model = text_model(network(operators[0], "bidirectional", true, "y") + "output y;");
  const Quantized result =
      quantize(model.clone(), nullptr, halves(8, SplitForm::automatic), onnx_runtime(), {});
  EXPECT_EQ(result.report.layers[1].form, "fold");
  const Tensor exact = outputs_of(model, model).at("y");
  const Tensor found = outputs_of(result.model, model).at("y");
  for (std::size_t i = 0; i < exact.as<float>().size(); ++i)
    EXPECT_NEAR(found.as<float>()[i], exact.as<float>()[i], 0.03F);
}

// W stays float: its rows are repeated all the same.
TEST(HiddenSplit, WidensANodeWhoseInputWeightStaysFloat) {
  const Model model = text_model(network(operators[2], "bidirectional", true, "y") + "output y;");
  const auto output = [&](SplitForm form) {
    Recipe recipe = halves(5, form);
    recipe.keep_float = {"net.W"};
    const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
    EXPECT_FALSE(result.report.layers[0].part == "W" && result.report.layers[0].quantized);
    return outputs_of(result.model, model);
  };
  expect_near(output(SplitForm::fold), output(SplitForm::virtual_));
}

TEST(HiddenSplit, LeavesTheUnitsOfANodeWhoseHiddenWeightStaysFloat) {
  const Model model = text_model(network(operators[0], "forward", false, "y") + "output y;");
  Recipe recipe = halves(5, SplitForm::fold);
  recipe.keep_float = {"net.R"};
  const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  EXPECT_EQ(int_attribute(node_of(result.model), "hidden_size", 0), 5);
}

// Layers that read the state of one another; with data each is measured by itself.
TEST(HiddenSplit, GoesThroughAStackAndIsMeasured) {
  const Model model = text_model(
      network(operators[0], "forward", true, "y, h2, c2") +
      "init ax int64[1] {1}; u = Squeeze(y, ax); init w2 float[1,15,5] random 6; init r2 "
      "float[1,15,5] random 7; top: v, q = GRU(u, w2, r2, , , h2) {hidden_size = 5}; init d "
      "float[5,3] random 8; out = MatMul(v, d); output out; output q; output c2;");
  const Samples samples{.count = 2, .load = [&](std::size_t i) {
                          return Sample{.name = "random", .inputs = random_inputs(model, i + 1)};
                        }};
  const auto run = [&](SplitForm form) {
    const Quantized result = quantize(model.clone(), &samples, halves(5, form), onnx_runtime(), {});
    for (const LayerReport& layer : result.report.layers)
      EXPECT_GT(layer.sqnr_db.value_or(-1.0), 5.0) << layer.name();
    return std::pair(outputs_of(result.model, model), result.report);
  };
  const auto [wide, wide_report] = run(SplitForm::fold);
  const auto [whole, whole_report] = run(SplitForm::virtual_);
  expect_near(wide, whole);
  ASSERT_EQ(wide_report.layers.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(*wide_report.layers[i].sqnr_db, *whole_report.layers[i].sqnr_db, 0.01);
    EXPECT_EQ(wide_report.layers[i].extra_macs, whole_report.layers[i].extra_macs);
  }
}

}  // namespace
}  // namespace ocs
