// Every claim of a ChannelRule, held against the engine.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/ops/op.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// x is [2, 4, 6, 6], y what the last node makes of it; a row may have several.
const std::vector<std::string> all_models{
    "y = Abs(x)",
    "init c float[4, 1, 1] random 1; y = Add(x, c)",
    "y = AveragePool(x) {kernel_shape = [3, 3], strides = [2, 1], pads = [1, 1, 1, 1]}",
    "y = AveragePool(x) {kernel_shape = [2, 2], count_include_pad = 1, pads = [1, 1, 1, 1]}",
    "init s float[4] random 1; init b float[4] random 2; init m float[4] random 3; init v float[4] "
    "ones; y = BatchNormalization(x, s, b, m, v)",
    "y = Celu(x) {alpha = 0.5}",
    "init low float[] {-0.5}; init high float[] {1.5}; y = Clip(x, low, high)",
    "init c float[2, 1, 6, 6] random 1; y = Concat(x, c) {axis = 1}",
    "y = DepthToSpace(x) {blocksize = 2}",
    "init c float[4, 1, 1] random 1; y = Div(x, c)",
    "y = Dropout(x)",
    "y = Elu(x)",
    "y = Erf(x)",
    "y = Exp(x)",
    "init s int64[5] {3, 1, 1, 1, 1}; y = Expand(x, s)",
    "y = Flatten(x)",
    "init i int64[3] {2, 0, -1}; y = Gather(x, i) {axis = 1}",
    "init i int64[2, 1, 6, 6] zeros; y = GatherElements(x, i) {axis = 1}",
    "init i int64[2, 2] {0, 1, 1, 3}; y = GatherND(x, i)",
    "opset 20; y = Gelu(x)",
    "y = GlobalAveragePool(x)",
    "y = GlobalMaxPool(x)",
    "y = HardSigmoid(x)",
    "opset 14; y = HardSwish(x)",
    "y = Identity(x)",
    "init s float[4] random 1; init b float[4] random 2; y = InstanceNormalization(x, s, b)",
    "y = LeakyRelu(x) {alpha = 0.1}",
    "y = MaxPool(x) {kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]}",
    "init c float[4, 1, 1] random 1; y = Mul(x, c)",
    "y = Neg(x)",
    "init s float[4, 1, 1] random 1; y = PRelu(x, s)",
    "init p int64[8] {0, 1, 2, 0, 0, 0, 1, 1}; y = Pad(x, p)",
    "init p int64[8] {0, 0, 2, 1, 0, 0, 1, 1}; y = Pad(x, p) {mode = \"reflect\"}",
    "init p int64[8] {0, 1, 2, 1, 0, 0, 1, 1}; y = Pad(x, p) {mode = \"edge\"}",
    "y = ReduceMax(x) {axes = [2, 3]}",
    "y = ReduceMean(x) {axes = [2, 3], keepdims = 0}",
    "y = ReduceMin(x) {axes = [1]}",
    "init a int64[1] {1}; y = ReduceSum(x, a)",
    "y = Relu(x)",
    "init s int64[2] {2, -1}; y = Reshape(x, s)",
    "init s float[4] {1, 1, 2, 2}; y = Resize(x, , s) {mode = \"nearest\"}",
    "init s float[4] {1, 1, 0.5, 1.5}; y = Resize(x, , s) {mode = \"nearest\", "
    "coordinate_transformation_mode = \"asymmetric\"}",
    "init s float[4] {1, 1, 2, 2}; y = Resize(x, , s) {mode = \"linear\"}",
    "init s float[4] {1, 1, 2, 2}; y = Resize(x, , s) {mode = \"cubic\"}",
    "y = Selu(x)",
    "y = Sigmoid(x)",
    "init b int64[1] {1}; init e int64[1] {4}; init a int64[1] {1}; y = Slice(x, b, e, a)",
    "y = Softplus(x)",
    "y = SpaceToDepth(x) {blocksize = 2}",
    "y, z = Split(x) {axis = 1}",
    "init a int64[1] {0}; u = Unsqueeze(x, a); y = Squeeze(u, a)",
    "init c float[4, 1, 1] random 1; y = Sub(x, c)",
    "y = Tanh(x)",
    "init r int64[4] {1, 2, 1, 1}; y = Tile(x, r)",
    "y = Transpose(x) {perm = [0, 2, 3, 1]}",
    "init a int64[1] {0}; y = Unsqueeze(x, a)",
    "opset 9; init s float[4] {1, 1, 2, 2}; y = Upsample(x, s) {mode = \"nearest\"}",
    "opset 9; init s float[4] {1, 1, 2, 2}; y = Upsample(x, s) {mode = \"linear\"}",
};

struct Trial {
  explicit Trial(const std::string& text)
      : model(text_model("input x float[2, 4, 6, 6]; output y; " + text)),
        node(model.graph().node(model.graph().node_size() - 1)),
        rule(*find_channel_rule(node)),
        session(onnx_runtime()(model, {})),
        data(random_inputs(model, 7).at("x")) {}

  [[nodiscard]] Tensor run(const Tensor& input) const {
    return run_once(session, {{"x", input}}).at("y");
  }
  [[nodiscard]] Tensor run() const { return run(data); }

  Model model;
  const onnx::NodeProto& node;
  const ChannelRule& rule;
  RunModel session;
  Tensor data;
};

// Calls check(trial) for every model whose rule makes the claim.
template <typename Check>
void for_each_trial(bool ChannelRule::*claim, Check&& check) {
  for (const std::string& text : all_models) {
    SCOPED_TRACE(text);
    const Trial trial(text);
    if (trial.rule.*claim) check(trial);
  }
}

std::int64_t channel_of(const Shape& shape, std::size_t position) {
  const auto inner = static_cast<std::size_t>(element_count(std::span(shape).subspan(2)));
  return static_cast<std::int64_t>(position / inner) % shape[1];
}

TEST(ChannelRules, ThatKeepValuesDo) {
  for_each_trial(&ChannelRule::keeps_values, [](const Trial& trial) {
    const auto input = trial.data.as<float>();
    std::set<float> known(input.begin(), input.end());
    known.insert(0.0F);
    const Tensor output = trial.run();
    for (const float value : output.as<float>()) ASSERT_TRUE(known.contains(value)) << value;
  });
}

TEST(ChannelRules, ThatKeepChannelsDo) {
  for_each_trial(&ChannelRule::keeps_channels, [](const Trial& trial) {
    const Tensor before = trial.run();
    ASSERT_EQ(before.shape[1], trial.data.shape[1]);
    for (std::int64_t channel = 0; channel < trial.data.shape[1]; ++channel) {
      Tensor data = trial.data;
      for (std::size_t i = 0; i < data.as<float>().size(); ++i)
        if (channel_of(data.shape, i) == channel)
          data.as<float>()[i] = -3.0F * data.as<float>()[i] + 0.5F;
      const Tensor after = trial.run(data);
      bool changed = false;
      for (std::size_t i = 0; i < after.as<float>().size(); ++i) {
        const bool same = after.as<float>()[i] == before.as<float>()[i];
        if (channel_of(after.shape, i) == channel) {
          changed = changed || !same;
        } else {
          ASSERT_TRUE(same) << "channel " << channel << " changed the output at " << i;
        }
      }
      EXPECT_TRUE(changed) << "channel " << channel << " changed nothing";
    }
  });
}

// By powers of two, which floats are scaled by exactly: not a bit may differ.
TEST(ChannelRules, ThatAreHomogeneousScale) {
  for_each_trial(&ChannelRule::homogeneous, [](const Trial& trial) {
    const Tensor before = trial.run();
    for (const float factor : {0.25F, 8.0F}) {
      Tensor data = trial.data;
      for (float& value : data.as<float>()) value *= factor;
      Tensor expected = before;
      for (float& value : expected.as<float>()) value *= factor;
      EXPECT_EQ(trial.run(data), expected) << "factor " << factor;
    }
  });
}

// An average lies between the least and the largest value; a pool that counts its padding takes in
// zeros.
TEST(ChannelRules, ThatAverageOneInputStayInItsRange) {
  for_each_trial(&ChannelRule::recombines, [](const Trial& trial) {
    if (trial.node.input_size() > 1) return;
    const auto [low, high] = std::ranges::minmax(trial.data.as<float>());
    const Tensor output = trial.run();
    for (const float value : output.as<float>()) {
      EXPECT_GE(value, low);
      EXPECT_LE(value, high);
    }
  });
}

TEST(ChannelRules, AreAllTried) {
  std::set<std::string> tried;
  for (const std::string& text : all_models) {
    const Model model = text_model(text);
    tried.insert(model.graph().node(model.graph().node_size() - 1).op_type());
  }
  EXPECT_THAT(channel_rule_names(), testing::ElementsAreArray(tried));
}

const ChannelRule* rule_of(std::string_view text) {
  const Model model = text_model(text);
  return find_channel_rule(model.graph().node(0));
}

TEST(ChannelRules, AreNotGivenForFormsThatBreakThem) {
  EXPECT_EQ(rule_of("y = Pad(x, p, fill)"), nullptr);
  EXPECT_EQ(rule_of("y = Pad(x) {value = 1.5, pads = [0, 1]}"), nullptr);
  EXPECT_NE(rule_of("y = Pad(x, p, fill) {mode = \"edge\"}"), nullptr);
  EXPECT_EQ(
      rule_of("y = Resize(x, r, s) {coordinate_transformation_mode = \"tf_crop_and_resize\"}"),
      nullptr);
  EXPECT_EQ(rule_of("y = Dropout(x, ratio, training)"), nullptr);
  EXPECT_EQ(rule_of("y = BatchNormalization(x, s, b, m, v) {training_mode = 1}"), nullptr);
  EXPECT_EQ(rule_of("y = Softmax(x)"), nullptr);
  EXPECT_EQ(rule_of("y = com.example.Relu(x)"), nullptr);
}

TEST(ChannelRules, KeepValuesOnlyWhereResizePicksThem) {
  EXPECT_TRUE(rule_of("y = Resize(x, , s)")->keeps_values);
  EXPECT_FALSE(rule_of("y = Resize(x, , s) {mode = \"linear\"}")->keeps_values);
}

}  // namespace
}  // namespace ocs
