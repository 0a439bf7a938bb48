#include "ocs/engine/kernel_times.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/small_models.h"
#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"

namespace ocs {
namespace {

Json event(const std::string& name, double start, double duration, const std::string& op = "") {
  return {{"name", name}, {"ts", start}, {"dur", duration}, {"args", {{"op_name", op}}}};
}

// Kernels come ahead of the run that they are part of.
Json some_runs() {
  Json profile = Json::array();
  profile.push_back(event("session_initialization", 0, 50));
  for (const double run : {1000.0, 2000.0, 3000.0, 4000.0}) {
    profile.push_back(event("a_kernel_time", run + 10, run / 100, "Conv"));
    profile.push_back(event("b_kernel_time", run + 100, 5, "Add"));
    profile.push_back(event("b_kernel_time", run + 200, 7, "Add"));  // in a loop
    profile.push_back(event("model_run", run, 900));
  }
  return profile;
}

TEST(KernelTimes, AreMediansOverTheRunsBehindTheWarmUp) {
  const std::vector<KernelTime> kernels = kernel_times(some_runs(), 1);
  ASSERT_EQ(kernels.size(), 2U);
  EXPECT_EQ(kernels[0].name, "a");
  EXPECT_EQ(kernels[0].op, "Conv");
  EXPECT_DOUBLE_EQ(kernels[0].milliseconds, 0.030);
  EXPECT_EQ(kernels[1].name, "b");
  EXPECT_DOUBLE_EQ(kernels[1].milliseconds, 0.012);
}

// The event of a loop spans those of its body.
TEST(KernelTimes, AreWithoutThoseOfTheBody) {
  Json profile = Json::array();
  profile.push_back(event("a_kernel_time", 110, 30, "MatMul"));
  profile.push_back(event("a_kernel_time", 150, 40, "MatMul"));
  profile.push_back(event("loop_kernel_time", 100, 100, "Loop"));
  profile.push_back(event("b_kernel_time", 200, 10, "Add"));
  profile.push_back(event("model_run", 50, 900));
  const std::vector<KernelTime> kernels = kernel_times(profile, 0);
  ASSERT_EQ(kernels.size(), 3U);
  EXPECT_DOUBLE_EQ(kernels[0].milliseconds, 0.070);
  EXPECT_DOUBLE_EQ(kernels[1].milliseconds, 0.030);
  EXPECT_DOUBLE_EQ(kernels[2].milliseconds, 0.010);
}

TEST(KernelTimes, NeedARun) { EXPECT_THROW((void)kernel_times(some_runs(), 4), Error); }

// As on a full disk.
TEST(KernelTimes, SayThatAProfileIsNotWhole) {
  const Engine engine = [](const Model&, const EngineOptions& options) {
    std::ofstream(options.profile_prefix + ".json") << "[{\"cat\": \"Sess";
    return RunModel{.run = [](const NamedTensors&, const Receive&) {}};
  };
  EXPECT_THAT(
      small_models::message_of(
          [&] { (void)kernel_times(engine, small_models::doubling(), {}, {}, {}); }),
      testing::AllOf(testing::HasSubstr("profile.json: ONNX Runtime's profile is not whole"),
                     testing::HasSubstr("room")));
}

TEST(KernelTimes, AreThoseOfTheEngine) {
  Model model = small_models::graph_of({{"x", {1, 2}}}, {{"y", {1, 2}}});
  small_models::add(model, "Erf", {"x"}, {"e"}).set_name("first");
  small_models::add(model, "Exp", {"e"}, {"y"}).set_name("second");
  const NamedTensors inputs{{"x", {.shape = {1, 2}, .values = std::vector{1.0F, 2.0F}}}};
  const std::vector<KernelTime> kernels =
      kernel_times(onnx_runtime(), model, {}, inputs, {.warmup = 1, .runs = 3});
  std::vector<std::string> words;
  for (const KernelTime& kernel : kernels) {
    words.push_back(kernel.name + " " + kernel.op);
    EXPECT_GE(kernel.milliseconds, 0.0);
  }
  EXPECT_THAT(words, testing::ElementsAre("first Erf", "second Exp"));
}

}  // namespace
}  // namespace ocs
