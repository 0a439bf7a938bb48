// Outputs one by one (EngineOptions::one_by_one), beside the slow way: all of them at the end.
#include <algorithm>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/small_models.h"
#include "ocs/core/parallel.h"
#include "ocs/engine/onnx_runtime.h"

namespace ocs {
namespace {

using small_models::add;
using small_models::graph_of;
using small_models::message_of;
using testing::ElementsAre;
using testing::IsEmpty;

// a = x + x, b = relu(a), c = b * a, d = c + b
Model chain(int type = onnx::TensorProto::FLOAT) {
  Model model = graph_of({{"x", {-1, 2}, type}}, {{"d", {-1, 2}, type}});
  add(model, "Add", {"x", "x"}, {"a"});
  add(model, "Relu", {"a"}, {"b"});
  add(model, "Mul", {"b", "a"}, {"c"});
  add(model, "Add", {"c", "b"}, {"d"});
  return model;
}

NamedTensors input(float first) {
  return {{"x", {.shape = {2, 2}, .values = std::vector<float>{first, -1.5F, 3.0F, 0.25F}}}};
}

// Names in the order in which they came; every call must hold one value.
struct Received {
  std::vector<std::string> names{};
  NamedTensors values{};
};

Received run_watched(const RunModel& model, const NamedTensors& inputs) {
  Received received;
  model.run(inputs, [&](std::span<const OutputView> outputs) {
    ASSERT_EQ(outputs.size(), 1U);
    received.names.emplace_back(outputs[0].name);
    received.values[std::string(outputs[0].name)] = copy(outputs[0].tensor);
  });
  return received;
}

TEST(OneByOne, GivesTheValuesOfARunThatGivesAllAtOnce) {
  const std::vector<std::string> names{"d", "b", "x", "a"};
  for (const bool borrow : {false, true}) {
    const Model model = chain();
    const RunModel at_once = onnx_runtime()(model, {.outputs = names, .borrow_weights = borrow});
    const RunModel watched =
        onnx_runtime()(model, {.outputs = names, .one_by_one = true, .borrow_weights = borrow});
    EXPECT_THAT(watched.outputs, IsEmpty());
    for (const float first : {1.0F, -2.0F}) {
      const Received received = run_watched(watched, input(first));
      EXPECT_EQ(received.names.size(), names.size());
      EXPECT_EQ(received.values, run_once(at_once, input(first)));
    }
  }
}

TEST(OneByOne, ShowsTheModelsOutputsUnlessOthersAreAskedFor) {
  const RunModel watched = onnx_runtime()(chain(), {.one_by_one = true});
  EXPECT_EQ(run_watched(watched, input(1.0F)).values,
            run_once(onnx_runtime()(chain(), {}), input(1.0F)));
}

TEST(OneByOne, GivesEachValueBeforeWhatIsComputedFromIt) {
  const RunModel watched =
      onnx_runtime()(chain(), {.outputs = {"d", "c", "b", "a"}, .one_by_one = true});
  EXPECT_THAT(run_watched(watched, input(1.0F)).names, ElementsAre("a", "b", "c", "d"));
}

TEST(OneByOne, KeepsApartFromNamesOfTheModel) {
  Model model = graph_of({{"x", {2}}}, {{"y.watched", {2}}});
  add(model, "Add", {"x", "x"}, {"y"});
  add(model, "Relu", {"y"}, {"y.watched"});
  const RunModel watched =
      onnx_runtime()(model, {.outputs = {"y", "y.watched"}, .one_by_one = true});
  const Tensor x{.shape = {2}, .values = std::vector<float>{1, -1}};
  EXPECT_THAT(run_watched(watched, {{"x", x}}).names, ElementsAre("y", "y.watched"));
}

TEST(OneByOne, WidensSixteenBitFloats) {
  for (const int type : {onnx::TensorProto::FLOAT16, onnx::TensorProto::DOUBLE}) {
    Model model = graph_of({{"x", {2}}}, {{"y", {2}, type}});
    onnx::AttributeProto& to = *add(model, "Cast", {"x"}, {"y"}).add_attribute();
    to.set_name("to");
    to.set_type(onnx::AttributeProto::INT);
    to.set_i(type);
    const Tensor x{.shape = {2}, .values = std::vector<float>{1.5F, -0.25F}};
    EXPECT_EQ(run_watched(onnx_runtime()(model, {.one_by_one = true}), {{"x", x}}).values,
              run_once(onnx_runtime()(model, {}), {{"x", x}}));
  }
}

TEST(OneByOne, PassesOnWhatTheReceiverThrowsAndRunsAgain) {
  const RunModel watched = onnx_runtime()(chain(), {.outputs = {"a", "b"}, .one_by_one = true});
  const auto refuse = [](std::span<const OutputView> outputs) {
    if (outputs[0].name == "b") throw_bad_input("no more");
  };
  EXPECT_EQ(message_of([&] { watched.run(input(1.0F), refuse); }), "no more");
  EXPECT_THAT(run_watched(watched, input(1.0F)).names, ElementsAre("a", "b"));
}

TEST(OneByOne, LetsAReceiverRunAnotherModel) {
  const RunModel outer = onnx_runtime()(chain(), {.outputs = {"a", "b"}, .one_by_one = true});
  const RunModel inner = onnx_runtime()(chain(), {.outputs = {"d"}, .one_by_one = true});
  std::vector<std::string> names;
  outer.run(input(1.0F), [&](std::span<const OutputView> outputs) {
    names.emplace_back(outputs[0].name);
    names.push_back(run_watched(inner, input(2.0F)).names.front());
  });
  EXPECT_THAT(names, ElementsAre("a", "d", "b", "d"));
}

TEST(OneByOne, RunsFromSeveralThreadsAtOnce) {
  const RunModel watched = onnx_runtime()(chain(), {.outputs = {"a", "d"}, .one_by_one = true});
  std::vector<NamedTensors> together(200);
  const ThreadLimit limit(4);
  parallel_for(together.size(), [&](std::size_t i) {
    together[i] = run_watched(watched, input(static_cast<float>(i))).values;
  });
  for (std::size_t i = 0; i < together.size(); ++i)
    EXPECT_EQ(together[i], run_watched(watched, input(static_cast<float>(i))).values);
}

}  // namespace
}  // namespace ocs
