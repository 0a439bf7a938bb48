#include "ocs/report/compare.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

// An engine that multiplies: output `name` is x times the factor that the model's metadata gives
// the name.
RunModel open_multiplier(const Model& model, const EngineOptions& options) {
  std::vector<std::pair<std::string, float>> factors;
  for (const std::string& name : options.outputs) {
    const std::string factor = model.metadata(name);
    if (!factor.empty()) factors.emplace_back(name, std::stof(factor));
  }
  return {.inputs = model.inputs(),
          .outputs = model.outputs(),
          .run = [factors](const NamedTensors& inputs, const Receive& receive) {
            const auto x = inputs.at("x").as<float>();
            std::vector<Tensor> held;
            for (const auto& [name, factor] : factors) {
              std::vector<float> values(x.begin(), x.end());
              for (float& value : values) value *= factor;
              held.push_back({.shape = inputs.at("x").shape, .values = values});
            }
            std::vector<OutputView> views;
            for (std::size_t i = 0; i < held.size(); ++i)
              views.push_back({.name = factors[i].first, .tensor = view(held[i])});
            receive(views);
          }};
}

Model reference_model() {
  return text_model(
      R"(input x float[1,2]; init w float[2,2] ones; fc1: a = MatMul(x, w); fc2: y = MatMul(a, w); z = Neg(a);
      metadata "a" "2"; metadata "y" "1"; metadata "z" "-2"; output y float[1,2]; output z float[1,2])");
}

Model quantized_model() {
  return text_model(
      R"(input x float[1,2]; init w float[2,2] ones; fc1: a = MatMul(x, w); fc2: y = MatMul(a, w); z = Neg(a);
      metadata "a" "2.2"; metadata "y" "1.01"; metadata "z" "-2"; output y float[1,2]; output z float[1,2])");
}

Samples some_samples(std::size_t count) {
  return {
      .count = count,
      .load =
          [](std::size_t i) {
            const float n = static_cast<float>(i + 1);
            return Sample{
                .name = "sample " + std::to_string(i),
                .inputs = {{"x", Tensor{.shape = {1, 2}, .values = std::vector{n, -2.0F * n}}}}};
          },
      .source = "samples"};
}

TEST(Compare, MeasuresEveryOutput) {
  const Comparison result =
      compare(reference_model(), quantized_model(), some_samples(3), open_multiplier, {});
  EXPECT_EQ(result.samples, 3U);
  ASSERT_EQ(result.outputs.size(), 2U);
  EXPECT_EQ(result.outputs[0].name, "y");
  // 1% off is 40 dB; 1.01 is not exact in float, which leaves six digits of the 1%.
  EXPECT_NEAR(result.outputs[0].sqnr_db, 40.0, 1e-4);
  EXPECT_NEAR(result.outputs[0].mean_cosine, 1.0, 1e-12);  // only the length differs
  EXPECT_EQ(result.outputs[1].name, "z");
  EXPECT_EQ(result.outputs[1].sqnr_db, 200.0);
  EXPECT_EQ(result.agreement, 100.0);
  EXPECT_THAT(result.layers, IsEmpty());
}

TEST(Compare, MeasuresTheLayersAskedFor) {
  const Comparison result = compare(reference_model(), quantized_model(), some_samples(2),
                                    open_multiplier, {.nodes = {"fc1", "fc2", "unknown"}});
  ASSERT_EQ(result.layers.size(), 2U);
  EXPECT_EQ(result.layers[0].node, "fc1");
  EXPECT_NEAR(result.layers[0].sqnr_db, 20.0, 1e-4);  // 2.2 for 2: 10% off
  EXPECT_EQ(result.layers[1].node, "fc2");
}

TEST(Compare, GivesTheSameSumsForAnyNumberOfThreads) {
  const auto run = [](std::size_t threads) {
    const ThreadLimit limit(threads);
    return compare(reference_model(), quantized_model(), some_samples(50), open_multiplier,
                   {.nodes = {"fc1"}});
  };
  const Comparison one = run(1);
  const Comparison four = run(4);
  EXPECT_EQ(one.outputs, four.outputs);
  EXPECT_EQ(one.layers, four.layers);
}

TEST(Compare, TakesTheFirstSamplesUpToTheCount) {
  std::vector<std::size_t> seen;
  const Progress progress = [&](const std::string&, std::size_t done, std::size_t total) {
    EXPECT_EQ(total, 2U);
    seen.push_back(done);
  };
  const Comparison result = compare(reference_model(), quantized_model(), some_samples(5),
                                    open_multiplier, {.count = 2, .progress = progress});
  EXPECT_EQ(result.samples, 2U);
  EXPECT_THAT(seen, ElementsAre(1U, 2U));
}

TEST(Compare, NamesAnOutputThatTheOtherModelLacks) {
  Model other(quantized_model().clone().proto(), "other.onnx");
  other.graph().mutable_output(0)->set_name("a");
  EXPECT_THAT(
      [&] { (void)compare(reference_model(), other, some_samples(1), open_multiplier, {}); },
      ThrowsMessage<Error>(HasSubstr("other.onnx: has no output 'y'")));
}

TEST(Compare, NamesAnInputThatOnlyOneModelHas) {
  Model other(quantized_model().clone().proto(), "other.onnx");
  other.graph().mutable_input(0)->set_name("data");
  EXPECT_THAT(
      [&] { (void)compare(reference_model(), other, some_samples(1), open_multiplier, {}); },
      ThrowsMessage<Error>(HasSubstr("other.onnx: has no input 'x'")));
}

TEST(Compare, RefusesEmptyData) {
  EXPECT_THAT(
      [] {
        (void)compare(reference_model(), quantized_model(), some_samples(0), open_multiplier, {});
      },
      ThrowsMessage<Error>("samples: holds no sample"));
}

TEST(Compare, NamesTheSampleThatFails) {
  const Engine failing = [](const Model&, const EngineOptions&) {
    return RunModel{.run = [](const NamedTensors&, const Receive&) { throw_engine("no memory"); }};
  };
  EXPECT_THAT(
      [&] { (void)compare(reference_model(), quantized_model(), some_samples(1), failing, {}); },
      ThrowsMessage<Error>("sample 0: no memory"));
}

}  // namespace
}  // namespace ocs
