// Values in blocks of channels (EngineOptions::takes_blocks), beside the slow way: the same values as outputs, in ONNX's order.
#include "ocs/engine/channel_blocks.h"

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/small_models.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

using small_models::add;
using small_models::graph_of;
using testing::IsEmpty;

Tensor ramp(const Shape& shape, float step) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(static_cast<int>(i * 7 % 23) - 11) * step;
  return {.shape = shape, .values = std::move(values)};
}

constexpr std::int64_t inner_channels = 20;  // no multiple of 8 or 16

// y = gemm(flatten(relu(conv(relu(conv(x))) + relu(conv(x)))))
Model network() {
  Model model = graph_of({{"x", {-1, 16, 5, 5}}}, {{"y", {-1, 3}}});
  const auto conv = [&](const std::string& from, const std::string& to, std::int64_t channels) {
    const std::string weight =
        add_initializer(model, to + ".w", ramp({inner_channels, channels, 1, 1}, 0.125F));
    add(model, "Conv", {from, weight}, {to});
  };
  conv("x", "a", 16);
  add(model, "Relu", {"a"}, {"b"});
  conv("b", "c", inner_channels);
  add(model, "Add", {"c", "b"}, {"d"});
  add(model, "Relu", {"d"}, {"e"});
  add(model, "Flatten", {"e"}, {"f"});
  const std::string weight =
      add_initializer(model, "y.w", ramp({inner_channels * 25, 3}, 0.03125F));
  add(model, "Gemm", {"f", weight}, {"y"});
  return model;
}

NamedTensors input(std::int64_t batch) { return {{"x", ramp({batch, 16, 5, 5}, 0.25F)}}; }

// The definition of OutputView::block.
Tensor in_order(const OutputView& value) {
  if (value.block == 1) return copy(value.tensor);
  const std::span<const std::int64_t> shape = value.tensor.shape;
  Tensor tensor{.shape = {shape.begin(), shape.end()}};
  auto& values = tensor.values.emplace<std::vector<float>>();
  const std::int64_t blocks = (shape[1] + value.block - 1) / value.block;
  const std::int64_t inner = element_count(shape.subspan(2));
  const auto* const data = static_cast<const float*>(value.tensor.data);
  for (std::int64_t n = 0; n < shape[0]; ++n)
    for (std::int64_t c = 0; c < shape[1]; ++c)
      for (std::int64_t i = 0; i < inner; ++i)
        values.push_back(
            data[((n * blocks + c / value.block) * inner + i) * value.block + c % value.block]);
  return tensor;
}

struct Received {
  NamedTensors values{};
  std::map<std::string, std::int64_t> blocks{};
  std::vector<std::string> names{};  // as they came
};

Received run_watched(const RunModel& model, const NamedTensors& inputs) {
  Received received;
  model.run(inputs, [&](std::span<const OutputView> outputs) {
    ASSERT_EQ(outputs.size(), 1U);
    const std::string name(outputs[0].name);
    received.values[name] = in_order(outputs[0]);
    received.blocks[name] = outputs[0].block;
    received.names.push_back(name);
  });
  return received;
}

EngineOptions watching(std::vector<std::string> outputs, bool takes_blocks) {
  return {.outputs = std::move(outputs),
          .one_by_one = true,
          .takes_blocks = takes_blocks,
          .borrow_weights = true};
}

// What this processor's convolutions compute in, by a network other than that of find_block.
std::int64_t block_here() {
  const Model model = network();
  const RunModel run = onnx_runtime()(model, watching({"b"}, true));
  return run_watched(run, input(1)).blocks.at("b");
}

TEST(ChannelBlocks, HoldTheValuesOfARunThatGivesThemInOrder) {
  const std::vector<std::string> names{"x", "a", "b", "c", "d", "e", "f", "y"};
  const Model model = network();
  const RunModel plain = onnx_runtime()(model, watching(names, false));
  const RunModel blocked = onnx_runtime()(model, watching(names, true));
  EXPECT_THAT(blocked.outputs, IsEmpty());
  for (const std::int64_t batch : {1, 3}) {
    const Received expected = run_watched(plain, input(batch));
    const Received found = run_watched(blocked, input(batch));
    EXPECT_EQ(found.values, expected.values);
    EXPECT_EQ(found.values.size(), names.size());
  }
}

TEST(ChannelBlocks, AreGivenForFeatureMapsAlone) {
  const std::int64_t block = block_here();
#ifdef __x86_64__
  EXPECT_GT(block, 1) << "the runtime has changed: calibration is slower than it could be";
#endif
  if (block == 1) GTEST_SKIP() << "this processor's convolutions compute in ONNX's order";
  const Model model = network();
  const Received found =
      run_watched(onnx_runtime()(model, watching({"x", "a", "b", "f", "y"}, true)), input(1));
  const std::map<std::string, std::int64_t> expected{
      {"x", 1}, {"a", block}, {"b", block}, {"f", 1}, {"y", 1}};
  EXPECT_EQ(found.blocks, expected);
}

TEST(ChannelBlocks, ComeEachBeforeWhatIsComputedFromIt) {
  const Model model = network();
  const RunModel run = onnx_runtime()(model, watching({"y", "e", "d", "c", "b", "a"}, true));
  EXPECT_THAT(run_watched(run, input(1)).names, testing::ElementsAre("a", "b", "c", "d", "e", "y"));
}

// What only other values need is left out with its weights: here the last layer.
TEST(ChannelBlocks, NeedNoWeightsOfWhatIsNotComputed) {
  const Model model = network();
  const RunModel run = onnx_runtime()(model, watching({"b"}, true));
  EXPECT_EQ(run_watched(run, input(1)).values,
            run_watched(onnx_runtime()(model, watching({"b"}, false)), input(1)).values);
}

TEST(ChannelBlocks, AreForThoseWhoTakeThem) {
  const Model model = network();
  for (const EngineOptions& options :
       {watching({"b"}, false),
        EngineOptions{.outputs = {"b"}, .one_by_one = true, .takes_blocks = true}}) {
    const Received found = run_watched(onnx_runtime()(model, options), input(1));
    EXPECT_EQ(found.blocks.at("b"), 1);
  }
}

// What the runtime writes of bodies it cannot read again.
TEST(ChannelBlocks, AreNotTakenOfModelsWithBodies) {
  Model model = network();
  add_initializer(model, "yes", Tensor{.shape = {}, .values = std::vector<Boolean>{Boolean::yes}});
  onnx::NodeProto& choice = add(model, "If", {"yes"}, {"chosen"});
  for (const char* name : {"then_branch", "else_branch"}) {
    onnx::AttributeProto& attribute = *choice.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    onnx::GraphProto& body = *attribute.mutable_g();
    body.set_name(name);
    const std::string weight = std::string(name) + ".w";
    *body.add_initializer() = to_proto(ramp({25 * inner_channels}, 1.0F), weight);
    onnx::NodeProto& node = *body.add_node();
    node.set_op_type("Mul");
    node.add_input("f");
    node.add_input(weight);
    node.add_output(std::string(name) + ".y");
    body.add_output()->set_name(node.output(0));
  }
  const std::vector<std::string> names{"b", "e", "chosen"};
  const Received found = run_watched(onnx_runtime()(model, watching(names, true)), input(1));
  EXPECT_EQ(found.values,
            run_watched(onnx_runtime()(model, watching(names, false)), input(1)).values);
  EXPECT_EQ(found.blocks.at("b"), 1);
}

// They would lie in memory twice.
TEST(ChannelBlocks, AreNotTakenWhereOtherWeightsAreMost) {
  Model model = network();
  const std::string weight = add_initializer(
      model, "large", Tensor{.shape = {3, 6 << 20}, .values = std::vector<float>(18 << 20)});
  add(model, "MatMul", {"y", weight}, {"z"});
  const RunModel run = onnx_runtime()(model, watching({"b"}, true));
  EXPECT_EQ(run_watched(run, input(1)).blocks.at("b"), 1);
}

TEST(ChannelBlocks, SayNothingOfTheGraphThatIsWrittenForThem) {
  const Model model = network();
  std::vector<std::string> warnings;
  EngineOptions options = watching({"b"}, true);
  options.warn = [&](std::string_view words) { warnings.emplace_back(words); };
  (void)run_watched(onnx_runtime()(model, options), input(1));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(FindBlock, IsOneWhereTheEngineGivesOnnxsOrderOrFails) {
  const auto in_onnx_order = [](const Model& model) {
    return onnx_runtime()(model, {.one_by_one = true});
  };
  EXPECT_EQ(find_block(in_onnx_order), 1);
  EXPECT_EQ(find_block([](const Model&) -> RunModel { throw_engine("not today"); }), 1);
}

// An engine that gives the values of its input in blocks of `block`, or in an order that is none of blocks.
RunModel giving(std::int64_t block) {
  RunModel run;
  run.run = [block](const NamedTensors& inputs, const Receive& receive) {
    const Tensor& x = inputs.at("x");
    Tensor y = x;
    const auto from = x.as<float>();
    const std::int64_t channels = x.shape[1];
    const std::int64_t inner = std::ssize(from) / channels;
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t i = 0; i < inner; ++i) {
        const std::int64_t at =
            block == 0 ? i * channels + c : (c / block * inner + i) * block + c % block;
        y.as<float>()[static_cast<std::size_t>(at)] = from[static_cast<std::size_t>(c * inner + i)];
      }
    const OutputView one{.name = "y", .tensor = view(y)};
    receive({&one, 1});
  };
  return run;
}

TEST(FindBlock, TellsBlocksByWhereTheValuesLie) {
  for (const std::int64_t block : {4, 8, 16, 32})
    EXPECT_EQ(find_block([&](const Model&) { return giving(block); }), block);
  EXPECT_EQ(find_block([](const Model&) { return giving(0); }), 1) << "channels at the end";
  EXPECT_EQ(find_block([](const Model&) { return giving(2); }), 1) << "nothing that is known";
}

TEST(MemoryFile, HoldsWhatIsWrittenByItsPath) {
  MemoryFile file;
  std::ofstream(file.path()) << "some bytes";
  EXPECT_EQ(file.map(), "some bytes");
  MemoryFile empty;
  EXPECT_EQ(empty.map(), "");
}

}  // namespace
}  // namespace ocs
