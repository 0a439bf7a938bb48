#include "ocs/engine/onnx_runtime.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/small_models.h"
#include "ocs/core/parallel.h"
#include "ocs/engine/large_model.h"

namespace ocs {
namespace {

using small_models::add;
using small_models::doubling;
using small_models::graph_of;
using small_models::message_of;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Tensor floats(Shape shape, std::vector<float> values) {
  return {.shape = std::move(shape), .values = std::move(values)};
}

TEST(OnnxRuntime, SaysItsVersion) { EXPECT_THAT(onnx_runtime_version(), StartsWith("1.")); }

TEST(OnnxRuntime, RunsAModelFromMemory) {
  const RunModel model = onnx_runtime()(doubling(), {});
  EXPECT_EQ(run_once(model, {{"x", floats({2, 2}, {1, 2, 3, 4})}}),
            (NamedTensors{{"y", floats({2, 2}, {2, 4, 6, 8})}}));
}

TEST(OnnxRuntime, GivesTheSameWhereSessionsShareMemory) {
  const EngineOptions options{.shares_memory = true};
  const RunModel one = onnx_runtime()(doubling(), options);
  const RunModel other = onnx_runtime()(doubling(), options);
  for (const float value : {1.0F, 2.0F, 3.0F})
    for (const RunModel* model : {&one, &other}) {
      const NamedTensors inputs{{"x", {.shape = {1, 2}, .values = std::vector{value, -value}}}};
      const NamedTensors outputs = run_once(*model, inputs);
      EXPECT_THAT(outputs.at("y").as<float>(), testing::ElementsAre(2 * value, -2 * value));
    }
}

TEST(OnnxRuntime, NamesInputsAndOutputsWithFreeExtents) {
  const RunModel model = onnx_runtime()(doubling(), {});
  const std::vector<Port> inputs{{.name = "x", .shape = {-1, 2}}};
  const std::vector<Port> outputs{{.name = "y", .shape = {-1, 2}}};
  EXPECT_EQ(model.inputs, inputs);
  EXPECT_EQ(model.outputs, outputs);
}

TEST(OnnxRuntime, ReadsInputsInPlace) {
  const RunModel model = onnx_runtime()(doubling(), {});
  const NamedTensors inputs{{"x", floats({1, 2}, {1, 2})}};
  const NamedTensors before = inputs;
  for (int run = 0; run < 3; ++run)
    EXPECT_EQ(run_once(model, inputs).at("y"), floats({1, 2}, {2, 4}));
  EXPECT_EQ(inputs, before);
}

TEST(OnnxRuntime, TakesEmptyTensors) {
  const RunModel model = onnx_runtime()(doubling(), {});
  EXPECT_EQ(run_once(model, {{"x", floats({0, 2}, {})}}).at("y"), floats({0, 2}, {}));
}

class OnnxRuntimeHalf : public testing::TestWithParam<int> {};

TEST_P(OnnxRuntimeHalf, ShowsSixteenBitFloatsAsFloat) {
  Model model =
      graph_of({{"x", {-1, 2}, GetParam()}}, {{"y", {-1, 2}, GetParam()}, {"z", {-1, 2}}});
  add(model, "Identity", {"x"}, {"y"});
  onnx::AttributeProto& to = *add(model, "Cast", {"x"}, {"z"}).add_attribute();
  to.set_name("to");
  to.set_type(onnx::AttributeProto::INT);
  to.set_i(onnx::TensorProto::FLOAT);
  const RunModel run = onnx_runtime()(model, {});
  EXPECT_EQ(run.inputs.front().type, ElementType::float32);
  EXPECT_EQ(run.outputs.front().type, ElementType::float32);
  const NamedTensors outputs = run_once(run, {{"x", floats({1, 2}, {1.5F, -0.25F})}});
  EXPECT_EQ(outputs.at("y"), floats({1, 2}, {1.5F, -0.25F}));
  EXPECT_EQ(outputs.at("z"), floats({1, 2}, {1.5F, -0.25F}));
}

INSTANTIATE_TEST_SUITE_P(Types, OnnxRuntimeHalf,
                         testing::Values(onnx::TensorProto::FLOAT16, onnx::TensorProto::BFLOAT16));

TEST(OnnxRuntime, RunsOtherElementTypes) {
  const RunModel integers = onnx_runtime()(doubling(onnx::TensorProto::INT64), {});
  const Tensor x{.shape = {1, 2}, .values = std::vector<std::int64_t>{3, 4}};
  const Tensor y{.shape = {1, 2}, .values = std::vector<std::int64_t>{6, 8}};
  EXPECT_EQ(run_once(integers, {{"x", x}}).at("y"), y);

  Model negate =
      graph_of({{"x", {2}, onnx::TensorProto::BOOL}}, {{"y", {2}, onnx::TensorProto::BOOL}});
  add(negate, "Not", {"x"}, {"y"});
  const Tensor yes_no{.shape = {2}, .values = std::vector<Boolean>{Boolean::yes, Boolean::no}};
  const Tensor no_yes{.shape = {2}, .values = std::vector<Boolean>{Boolean::no, Boolean::yes}};
  EXPECT_EQ(run_once(onnx_runtime()(negate, {}), {{"x", yes_no}}).at("y"), no_yes);
}

TEST(OnnxRuntime, RefusesMissingAndUnknownInputsByName) {
  const RunModel model = onnx_runtime()(doubling(), {});
  EXPECT_EQ(message_of([&] { (void)run_once(model, {}); }),
            "folder/small.onnx: input 'x' is missing; the inputs are 'x'");
  EXPECT_EQ(message_of([&] {
              (void)run_once(model, {{"x", floats({1, 2}, {1, 2})}, {"z", floats({1}, {1})}});
            }),
            "folder/small.onnx: has no input 'z'; the inputs are 'x'");
}

TEST(OnnxRuntime, RefusesOtherShapesAndTypesShowingBoth) {
  const RunModel model = onnx_runtime()(doubling(), {});
  EXPECT_EQ(message_of([&] {
              (void)run_once(model, {{"x", floats({1, 3}, {1, 2, 3})}});
            }),
            "folder/small.onnx: input 'x' takes float [?,2], found float [1,3]");
  EXPECT_EQ(message_of([&] {
              (void)run_once(model, {{"x", floats({2}, {1, 2})}});
            }),
            "folder/small.onnx: input 'x' takes float [?,2], found float [2]");
  const Tensor integers{.shape = {1, 2}, .values = std::vector<std::int64_t>{1, 2}};
  EXPECT_EQ(message_of([&] {
              (void)run_once(model, {{"x", integers}});
            }),
            "folder/small.onnx: input 'x' takes float [?,2], found int64 [1,2]");
  EXPECT_EQ(message_of([&] {
              (void)run_once(model, {{"x", floats({1, 2}, {1, 2, 3})}});
            }),
            "folder/small.onnx: input 'x' has 3 values for the shape [1,2]");
}

TEST(OnnxRuntime, ReportsARefusedModelWithItsFile) {
  Model model = graph_of({{"x", {2}}}, {{"y", {2}}});
  add(model, "NoSuchOperator", {"x"}, {"y"});
  try {
    (void)onnx_runtime()(model, {});
    FAIL() << "the model was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::engine);
    EXPECT_THAT(error.what(), StartsWith("folder/small.onnx: ONNX Runtime refuses it: "));
    EXPECT_THAT(error.what(), HasSubstr("NoSuchOperator"));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
  }
}

TEST(OnnxRuntime, KeepsTheRuntimesSourcePositionsOutOfMessages) {
  Model model = graph_of({{"x", {2}}}, {{"y", {2}}}, 99);
  add(model, "Relu", {"x"}, {"y"});
  EXPECT_THAT(
      message_of([&] { (void)onnx_runtime()(model, {}); }),
      StartsWith(
          "folder/small.onnx: ONNX Runtime refuses it: ONNX Runtime only *guarantees* support"));
}

TEST(OnnxRuntime, ReportsAFailedRunWithTheNode) {
  // The inner extents agree or not only once the sizes are known.
  Model model = graph_of({{"a", {-1, -1}}, {"b", {-1, -1}}}, {{"y", {-1, -1}}});
  add(model, "MatMul", {"a", "b"}, {"y"});
  const RunModel run = onnx_runtime()(model, {});
  try {
    (void)run_once(run, {{"a", floats({1, 2}, {1, 2})}, {"b", floats({3, 1}, {1, 2, 3})}});
    FAIL() << "the run succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::engine);
    EXPECT_THAT(error.what(), StartsWith("folder/small.onnx: ONNX Runtime fails to run it: "));
    EXPECT_THAT(error.what(), HasSubstr("MatMul_y"));
  }
}

TEST(OnnxRuntime, PassesOnWhatTheReceiverThrows) {
  const RunModel model = onnx_runtime()(doubling(), {});
  const auto refuse = [](std::span<const OutputView>) { throw_bad_input("no more"); };
  EXPECT_EQ(message_of([&] { model.run({{"x", floats({1, 2}, {1, 2})}}, refuse); }), "no more");
}

TEST(OnnxRuntime, GivesWarningsToTheCallerAndPrintsNone) {
  // An initializer that nobody reads is worth a warning to the runtime.
  Model model = doubling();
  small_models::add_weight(model, "unused", {2}, {1, 2});
  std::vector<std::string> warnings;
  testing::internal::CaptureStderr();
  (void)onnx_runtime()(model,
                       {.warn = [&](std::string_view text) { warnings.emplace_back(text); }});
  (void)onnx_runtime()(model, {});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("unused")));
}

TEST(OnnxRuntime, PassesConfigurationOn) {
  EXPECT_THAT(message_of([] {
                (void)onnx_runtime()(doubling(), {.config = {{"", "1"}}});
              }),
              StartsWith("folder/small.onnx: ONNX Runtime refuses it: "));
}

TEST(OnnxRuntime, WritesItsOptimizedGraph) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "optimized.onnx";
  (void)onnx_runtime()(doubling(), {.optimized_model_file = file.string()});
  EXPECT_EQ(run_once(open_model_file(file, {}), {{"x", floats({1, 2}, {1, 2})}}).at("y"),
            floats({1, 2}, {2, 4}));
}

// Its weights stay as they are: in the runtime's own layout they would be in memory once more.
TEST(OnnxRuntime, LeavesWeightsAsTheyAreForFewRuns) {
  Model model = graph_of({{"x", {1, 16, 4, 4}}}, {{"y", {1, 16, 4, 4}}});
  std::vector<float> weights(16 * 16);
  std::iota(weights.begin(), weights.end(), -100.0F);
  small_models::add_weight(model, "w", {16, 16, 1, 1}, weights);
  small_models::add(model, "Conv", {"x", "w"}, {"c"});
  small_models::add(model, "Relu", {"c"}, {"y"});
  Tensor x{.shape = {1, 16, 4, 4}, .values = std::vector<float>(256)};
  std::iota(x.as<float>().begin(), x.as<float>().end(), -128.0F);

  const TemporaryFolder folder;
  const auto written = [&](bool for_few_runs, const char* name) {
    const RunModel run =
        onnx_runtime()(model, {.borrow_weights = true,
                               .for_few_runs = for_few_runs,
                               .optimized_model_file = (folder.path() / name).string()});
    std::ifstream file(folder.path() / name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return std::pair(run_once(run, {{"x", x}}), text);
  };
  const auto [values, usual] = written(false, "usual.onnx");
  const auto [few_values, few] = written(true, "few.onnx");
  EXPECT_EQ(few_values, values);  // sums of integers
#ifdef __x86_64__
  EXPECT_THAT(usual, HasSubstr("ReorderInput"));
#endif
  EXPECT_THAT(few, Not(HasSubstr("ReorderInput")));
  EXPECT_THAT(few, HasSubstr("FusedConv"));
}

TEST(OnnxRuntime, RunsFromSeveralThreadsAtOnce) {
  Model model = graph_of({{"x", {-1, 64}}}, {{"y", {-1, 64}}});
  std::vector<float> weights(std::size_t{64} * 64);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7) - 3.0F;
  small_models::add_weight(model, "w", {64, 64}, weights);
  add(model, "MatMul", {"x", "w"}, {"y"});
  const RunModel run = onnx_runtime()(model, {});
  const auto input = [](std::size_t i) {
    std::vector<float> x(64);
    std::iota(x.begin(), x.end(), static_cast<float>(i));
    return NamedTensors{{"x", floats({1, 64}, x)}};
  };
  std::vector<NamedTensors> together(100);
  const ThreadLimit limit(4);
  parallel_for(together.size(), [&](std::size_t i) { together[i] = run_once(run, input(i)); });
  for (std::size_t i = 0; i < together.size(); ++i) EXPECT_EQ(together[i], run_once(run, input(i)));
}

TEST(OpenModelFile, NamesAMissingAndABrokenFile) {
  EXPECT_EQ(message_of([] { (void)open_model_file("none.onnx", {}); }), "none.onnx: no such file");
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "broken.onnx";
  std::ofstream(file) << "not a model";
  EXPECT_THAT(message_of([&] { (void)open_model_file(file, {}); }),
              StartsWith(file.string() + ": ONNX Runtime refuses it: "));
}

}  // namespace
}  // namespace ocs
