#include "ocs/passes/split_channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/verify.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;

constexpr Operand conv_data{.data_input = 0, .weight_input = 1, .bias_input = 2};

// Conv -> Relu -> two Convs, and an Add that reads the value too.
constexpr auto block = R"(
  input x float[2, 3, 5, 5];
  init v float[4, 3, 3, 3] random 1;
  init b float[4] {0.5, -0.25, 1, 2};
  init w float[2, 4, 3, 3] random 2;
  init u float[4, 4, 1, 1] random 3;
  c: s = Conv(x, v, b) {pads = [1, 1, 1, 1]};
  r: a = Relu(s);
  d: y = Conv(a, w);
  e: t = Conv(a, u);
  f: z = Add(a, t);
  output y;
  output z;
)";

ChannelSplit split_of(std::optional<float> threshold, bool not_negative) {
  return {.value = "a",
          .copies = {1, 3, 2, 1},
          .threshold = threshold,
          .not_negative = not_negative,
          .readers = {{.node = "d", .operand = conv_data}, {.node = "e", .operand = conv_data}}};
}

TEST(PartChannels, StandBehindAllChannelsPartByPart) {
  EXPECT_THAT(part_channels({1, 3, 2, 1}), ElementsAre(0, 1, 2, 3, 1, 2, 1));
  EXPECT_THAT(part_numbers({1, 3, 2, 1}), ElementsAre(0, 0, 0, 0, 1, 1, 2));
  EXPECT_TRUE(part_channels({}).empty());
}

TEST(Take, RepeatsEntriesAlongTheAxis) {
  const Tensor tensor{.shape = {2, 2, 1}, .values = std::vector<float>{1, 2, 3, 4}};
  EXPECT_EQ(take(tensor, 1, {1, 0, 1}),
            (Tensor{.shape = {2, 3, 1}, .values = std::vector<float>{2, 1, 2, 4, 3, 4}}));
  EXPECT_EQ(take(tensor, 0, {1}), (Tensor{.shape = {1, 2, 1}, .values = std::vector<float>{3, 4}}));
}

TEST(SplitChannels, KeepsWhatTheNetworkComputes) {
  const Model before = text_model(block);
  for (const auto& [threshold, not_negative] : std::vector<std::pair<std::optional<float>, bool>>{
           {std::nullopt, true}, {0.7F, true}, {0.7F, false}}) {
    const SplitChannelsResult split =
        split_channels(before.clone(), {split_of(threshold, not_negative)});
    verify(split.pass.model);
    const std::string parts = split.parts_of.at("a");
    EXPECT_EQ(node_of(split.pass.model, "d").input(0), parts);
    EXPECT_EQ(node_of(split.pass.model, "e").input(0), parts);
    EXPECT_EQ(node_of(split.pass.model, "f").input(0), "a");  // no layer: it reads the whole
    EXPECT_EQ(initializer_of(split.pass.model, node_of(split.pass.model, "d").input(1)).shape,
              (Shape{2, 7, 3, 3}));
    EXPECT_THAT(split.grown.at("d").inputs, ElementsAre(0, 1, 2, 3, 1, 2, 1));
    EXPECT_FALSE(split.grown.contains("c"));  // f needs its four channels
    expect_same_outputs(before, split.pass.model, float_rounding);
  }
}

TEST(SplitChannels, BoundsEveryPartButTheLast) {
  const Model before = text_model(R"(
    input x float[1, 2];
    init w float[2, 1] {1, 1};
    m: y = MatMul(x, w);
    output y float[1, 1];
  )");
  SplitChannelsResult split =
      split_channels(before.clone(), {{.value = "x",
                                       .copies = {2, 1},
                                       .threshold = 1.0F,
                                       .readers = {{.node = "m", .operand = {}}}}});
  auto* output = split.pass.model.graph().add_output();
  output->set_name(split.parts_of.at("x"));
  output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  for (const auto& [x, parts] : std::vector<std::pair<std::vector<float>, std::vector<float>>>{
           {{0.5F, 3.0F}, {0.5F, 3.0F, 0.0F}},
           {{2.5F, -3.0F}, {1.0F, -3.0F, 1.5F}},
           {{-2.5F, 0.0F}, {-1.0F, 0.0F, -1.5F}}}) {
    const NamedTensors outputs = run_once(onnx_runtime()(split.pass.model, {.optimize = false}),
                                          {{"x", Tensor{.shape = {1, 2}, .values = x}}});
    EXPECT_EQ(outputs.at(split.parts_of.at("x")), (Tensor{.shape = {1, 3}, .values = parts}));
  }
}

TEST(SplitChannels, FoldsSaturatingPartsIntoTheConvInFront) {
  const Model before = text_model(R"(
    input x float[2, 3, 5, 5];
    init v float[4, 3, 3, 3] random 1;
    init w float[2, 4, 3, 3] random 2;
    c: s = Conv(x, v);
    r: a = Relu(s);
    d: y = Conv(a, w);
    output y;
  )");
  ChannelSplit wanted = split_of(0.3F, true);
  wanted.readers.pop_back();
  const SplitChannelsResult split = split_channels(before.clone(), {wanted});
  verify(split.pass.model);
  EXPECT_THAT(split.grown.at("c").rows, ElementsAre(0, 1, 2, 3, 1, 2, 1));
  EXPECT_EQ(initializer_of(split.pass.model, node_of(split.pass.model, "c").input(1)).shape,
            (Shape{7, 3, 3, 3}));
  for (const onnx::NodeProto& node : split.pass.model.graph().node())
    EXPECT_NE(node.op_type(), "Gather");
  expect_same_outputs(before, split.pass.model, float_rounding);
}

// The Conv whose columns are repeated is also one whose rows are.
TEST(SplitChannels, FollowsAChainOfLayers) {
  const Model before = text_model(R"(
    input x float[2, 4, 5, 5];
    init v float[4, 4, 1, 1] random 1;
    init b float[4] {0.5, -0.25, 1, 2};
    init w float[4, 4, 1, 1] random 2;
    init u float[2, 4, 1, 1] random 3;
    c: s = Conv(x, v, b);
    r: a = Relu(s);
    d: t = Conv(a, w, b);
    q: g = Relu(t);
    e: y = Conv(g, u);
    output y;
  )");
  ChannelSplit first = split_of(0.2F, true);
  first.readers = {{.node = "d", .operand = conv_data}};
  ChannelSplit second = split_of(0.4F, true);
  second.value = "g";
  second.readers = {{.node = "e", .operand = conv_data}};
  for (const auto& order : {std::vector{first, second}, std::vector{second, first}}) {
    const SplitChannelsResult split = split_channels(before.clone(), order);
    EXPECT_EQ(initializer_of(split.pass.model, node_of(split.pass.model, "d").input(1)).shape,
              (Shape{7, 7, 1, 1}));
    expect_same_outputs(before, split.pass.model, float_rounding);
  }
}

// Channels along every axis that an operator knows.
TEST(SplitChannels, KnowsTheChannelAxisOfEveryOperator) {
  for (const std::string text :
       {"input x float[3, 4]; init w float[4, 2] random 1; m: y = Gemm(x, w); output y float[3, 2]",
        "input x float[5, 3, 4]; init w float[4, 2] random 1; m: y = MatMul(x, w); "
        "output y float[5, 3, 2]",
        "input x float[4, 3]; init w float[2, 4] random 1; m: y = MatMul(w, x); "
        "output y float[2, 3]",
        "input x float[1, 4, 3, 3]; init w float[4, 2, 2, 2] random 1; m: y = ConvTranspose(x, w); "
        "output y",
        "input x float[1, 4, 9]; init w float[2, 4, 3] random 1; m: y = Conv(x, w); output y"}) {
    const Model before = text_model(text);
    const onnx::NodeProto& node = before.graph().node(0);
    const Graph graph(before);
    const Operand operand =
        std::get<std::vector<Operand>>(find_linear_op(node)->operands(node, graph)).at(0);
    const SplitChannelsResult split =
        split_channels(before.clone(), {{.value = "x",
                                         .copies = {2, 1, 1, 2},
                                         .threshold = 0.4F,
                                         .readers = {{.node = "m", .operand = operand}}}});
    expect_same_outputs(before, split.pass.model, float_rounding);
  }
}

}  // namespace
}  // namespace ocs
