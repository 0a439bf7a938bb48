#include "ocs/costs/micro_model.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/lint/forecast.h"
#include "support/models.h"

namespace ocs {
namespace {

std::vector<MicroModel> small_ones() {
  std::vector<MicroModel> models;
  for (const Kernel kernel :
       {Kernel::pointwise, Kernel::spatial, Kernel::depthwise, Kernel::matmul})
    models.push_back({.kernel = kernel,
                      .narrow = 16,
                      .wide = 16,
                      .extent = 6,
                      .taps = kernel == Kernel::spatial || kernel == Kernel::depthwise ? 3 : 1,
                      .pairs = 2});
  for (const Move move : {Move::gather, Move::slice}) {
    MicroModel micro = models.front();
    micro.move = move;
    micro.copies = 4;
    models.push_back(micro);
  }
  return models;
}

TEST(MicroModels, RunAndKeepTheirShape) {
  for (const MicroModel& micro : small_ones()) {
    SCOPED_TRACE(name_of(micro));
    const Model model = build(micro);
    const RunModel run = onnx_runtime()(model, {});
    const Port input = run.inputs.front();
    const NamedTensors outputs = run_once(run, random_samples("x", input.shape, 1).load(0).inputs);
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs.begin()->second.shape, input.shape);
    // Neither saturated nor nothing: the kernels compute with real numbers.
    double energy = 0.0;
    for (const float value : outputs.begin()->second.as<float>())
      energy += static_cast<double>(value * value);
    EXPECT_GT(energy, 0.0);
  }
}

TEST(MicroModels, AreIntegerThroughout) {
  for (const MicroModel& micro : small_ones()) {
    SCOPED_TRACE(name_of(micro));
    const LintForecast nodes = forecast(build(micro), lint_target("ort-cpu"));
    EXPECT_TRUE(nodes.is_quantized);
    EXPECT_TRUE(nodes.is_clean());
  }
}

TEST(MicroModels, CountTheirWork) {
  const MicroModel micro{.kernel = Kernel::spatial,
                         .narrow = 8,
                         .wide = 12,
                         .extent = 5,
                         .taps = 3,
                         .move = Move::gather,
                         .copies = 4};
  const std::vector<KernelWork> work = work_of_pair(micro);
  ASSERT_EQ(work.size(), 2U);
  EXPECT_EQ(work[0].inputs * work[0].outputs * work[0].taps * work[0].positions, 8 * 12 * 9 * 25);
  EXPECT_EQ(work[1].inputs * work[1].outputs * work[1].taps * work[1].positions, 16 * 8 * 9 * 25);
  EXPECT_EQ(moved_values(micro), 16 * 25);
}

TEST(MicroModels, HaveThePlainPairOfEachMove) {
  const std::vector<MicroModel> models = micro_models();
  for (MicroModel micro : models) {
    if (!micro.move) continue;
    micro.move.reset();
    micro.copies = 0;
    EXPECT_EQ(std::ranges::count(models, name_of(micro),
                                 [](const MicroModel& each) { return name_of(each); }),
              1)
        << name_of(micro);
  }
}

}  // namespace
}  // namespace ocs
