#include "ocs/pipeline/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/text_model.h"

namespace ocs {
namespace {

constexpr auto network = R"(
  input x float[1, 3, 6, 6];
  init w float[4, 3, 3, 3] random 1 * 0.3;
  conv: c = Conv(x, w);
  r = Relu(c);
  output r;
)";

Samples samples_of(std::size_t count) {
  return {.count = count,
          .load =
              [](std::size_t i) {
                return Sample{
                    .name = std::to_string(i),
                    .inputs = {{"x", {.shape = {1, 3, 6, 6}, .values = Random(i).normals(108)}}}};
              },
          .source = "samples"};
}

class MeasureLayers : public testing::Test {
 protected:
  const Samples samples = samples_of(5);
  const Recipe recipe{.measure_count = 5};
  int whole_runs = 0;  // sessions of the model's outputs alone
  const Engine counting = [this](const Model& model, const EngineOptions& options) {
    whole_runs += options.outputs == std::vector<std::string>{"r"} && !options.one_by_one ? 1 : 0;
    return onnx_runtime()(model, options);
  };

  [[nodiscard]] FloatMeasurement measure(const PlannedNetwork& planned, KeptOutputs kept) const {
    return measure_layers(planned.prepared.model, planned.plan, samples, recipe.measure_count,
                          counting, {}, std::move(kept));
  }
  [[nodiscard]] PlannedNetwork plan() const {
    return plan_network(text_model(network), &samples, recipe, counting, {});
  }
};

void expect_same(const FloatMeasurement& a, const FloatMeasurement& b) {
  ASSERT_EQ(a.outputs.size(), b.outputs.size());
  for (std::size_t i = 0; i < a.outputs.size(); ++i)
    EXPECT_THAT(a.outputs[i].at("r").as<float>(),
                testing::Pointwise(testing::FloatNear(1e-5F), b.outputs[i].at("r").as<float>()));
}

TEST_F(MeasureLayers, TakesTheOutputsThatCalibrationHasSeen) {
  const PlannedNetwork planned = plan();
  const FloatMeasurement kept = measure(planned, planned.outputs);
  EXPECT_EQ(whole_runs, 0);
  const FloatMeasurement run = measure(planned, {});
  EXPECT_EQ(whole_runs, 1);
  expect_same(kept, run);
}

TEST_F(MeasureLayers, IsNotPreparedForWhereNothingIsMeasured) {
  const Recipe unmeasured{.measure_count = 0};
  const PlannedNetwork planned =
      plan_network(text_model(network), &samples, unmeasured, counting, {});
  EXPECT_TRUE(planned.outputs.names.empty());
  EXPECT_TRUE(planned.outputs.samples.empty());
}

TEST_F(MeasureLayers, RunsTheSamplesThatCalibrationHasNotSeen) {
  const PlannedNetwork planned = plan();
  KeptOutputs some = planned.outputs;
  some.samples.resize(2);
  const FloatMeasurement measured = measure(planned, some);
  EXPECT_EQ(whole_runs, 1);
  expect_same(measured, measure(planned, {}));
}

TEST_F(MeasureLayers, RunsAllWhereAComparedValueWasNotKept) {
  const PlannedNetwork planned = plan();
  KeptOutputs others = planned.outputs;
  for (NamedTensors& sample : others.samples) {
    sample["other"] = sample.at("r");
    sample.erase("r");
  }
  const FloatMeasurement measured = measure(planned, others);
  EXPECT_EQ(whole_runs, 1);
  expect_same(measured, measure(planned, {}));
}

}  // namespace
}  // namespace ocs
