// Sums joined with their Relu, beside the slow way: a session in which neither is.
#include "ocs/engine/runtime_sum.h"

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/small_models.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/edit.h"

namespace ocs {
namespace {

using small_models::add;
using small_models::graph_of;
using testing::ElementsAre;

// As the runtime writes it: what is in the domain of blocks, what puts values back, and what stays as it was.
Model blocked_sum() {
  Model model = graph_of({{"x", {1, 16, 5, 5}}}, {});
  const auto in_blocks = [&](const std::string& op, const std::vector<std::string>& inputs,
                             const std::string& output) {
    add(model, op, inputs, {output}).set_domain("com.microsoft.nchwc");
  };
  in_blocks("Conv", {"x", "w"}, "a");
  in_blocks("MaxPool", {"a"}, "b");
  add(model, "Relu", {"b"}, {"c"});
  add(model, "Add", {"a", "c"}, {"d"});
  add(model, "Relu", {"d"}, {"e"});
  in_blocks("ReorderOutput", {"e"}, "f");
  return model;
}

std::vector<std::string> kinds_and_inputs(const Model& model, const std::string& result) {
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.output(0) != result) continue;
    std::vector<std::string> words{node.domain() + "." + node.op_type()};
    words.insert(words.end(), node.input().begin(), node.input().end());
    return words;
  }
  return {};
}

TEST(JoinSums, MakesOneNodeOfASumAndItsRelu) {
  Model model = blocked_sum();
  join_sums(model, "ours");
  EXPECT_THAT(kinds_and_inputs(model, "e"), ElementsAre("ours.ReluOfSum", "a", "c"));
  EXPECT_THAT(kinds_and_inputs(model, "c"), ElementsAre(".Relu", "b"));
}

TEST(JoinSums, LeavesASumThatSomethingElseReads) {
  Model model = blocked_sum();
  add(model, "Watch", {"d"}, {"seen"}).set_domain("ours");
  join_sums(model, "ours");
  EXPECT_THAT(kinds_and_inputs(model, "e"), ElementsAre(".Relu", "d"));
}

// The runtime takes its extents for those of one that rounds down.
TEST(JoinSums, LeavesGraphsWithAPoolingThatRoundsUp) {
  Model model = blocked_sum();
  set_attribute(*model.graph().mutable_node(1), "ceil_mode", std::int64_t{1});
  join_sums(model, "ours");
  EXPECT_THAT(kinds_and_inputs(model, "e"), ElementsAre(".Relu", "d"));
}

TEST(JoinSums, LeavesSumsInOnnxsOrder) {
  Model model = blocked_sum();
  add(model, "Add", {"f", "constant"}, {"g"});
  add(model, "Relu", {"g"}, {"h"});
  join_sums(model, "ours");
  EXPECT_THAT(kinds_and_inputs(model, "h"), ElementsAre(".Relu", "g"));
}

Tensor ramp(const Shape& shape, float step) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(static_cast<int>(i * 7 % 23) - 11) * step;
  return {.shape = shape, .values = std::move(values)};
}

constexpr std::int64_t map_channels = 20;

// sum = relu(conv(x) + conv(pool(x))): `pool` keeps the shape or leaves one position.
Model two_branches(const std::string& pool) {
  Model model = graph_of({{"x", {-1, 16, 5, 5}}}, {{"sum", {-1, map_channels, 5, 5}}});
  onnx::NodeProto& pooled = add(model, pool, {"x"}, {"pooled"});
  if (pool == "MaxPool") {
    set_attribute(pooled, "kernel_shape", std::vector<std::int64_t>{3, 3});
    set_attribute(pooled, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  }
  for (const auto& [from, to] : std::map<std::string, std::string>{{"x", "a"}, {"pooled", "b"}}) {
    const std::string weight =
        add_initializer(model, to + ".w", ramp({map_channels, 16, 1, 1}, 0.125F));
    add(model, "Conv", {from, weight}, {to});
  }
  add(model, "Add", {"a", "b"}, {"d"});
  add(model, "Relu", {"d"}, {"sum"});
  return model;
}

// Of the values the one behind, in ONNX's order either way. `block`: of those in front.
std::vector<float> watched(const Model& model, const Tensor& x, bool takes_blocks,
                           std::int64_t& block) {
  const RunModel run = onnx_runtime()(model, {.outputs = {"a", "b", "flat"},
                                              .one_by_one = true,
                                              .takes_blocks = takes_blocks,
                                              .borrow_weights = true});
  std::vector<float> flat;
  run.run({{"x", x}}, [&](std::span<const OutputView> outputs) {
    if (outputs[0].name == "b") block = outputs[0].block;
    if (outputs[0].name != "flat") return;
    const auto values = outputs[0].tensor.as<float>();
    flat.assign(values.begin(), values.end());
  });
  return flat;
}

MATCHER(IsSameFloat, "") {
  const auto& [a, b] = arg;
  return a == b || (std::isnan(a) && std::isnan(b));
}

TEST(JoinSums, GivesTheValuesOfTheSlowWay) {
  for (const char* pool : {"MaxPool", "GlobalAveragePool"}) {
    SCOPED_TRACE(pool);
    Model model = two_branches(pool);
    add(model, "Flatten", {"sum"}, {"flat"});
    for (const float one :
         {0.5F, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      Tensor x = ramp({2, 16, 5, 5}, 0.25F);
      x.as<float>()[7] = one;
      std::int64_t block = 0;
      const std::vector<float> expected = watched(model, x, false, block);
      EXPECT_EQ(block, 1);
      EXPECT_EQ(expected.size(), 2U * map_channels * 25U);
      EXPECT_THAT(watched(model, x, true, block), testing::Pointwise(IsSameFloat(), expected));
#ifdef __x86_64__
      EXPECT_GT(block, 1);  // else nothing was joined
#endif
    }
  }
}

}  // namespace
}  // namespace ocs
