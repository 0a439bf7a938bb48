#include "ocs/calibrate/collect.h"

#include <atomic>
#include <limits>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibrate/fake_engine.h"
#include "calibrate/values.h"
#include "ocs/core/parallel.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using fake_engine::fake;
using fake_engine::fake_model;
using fake_engine::samples_of;
using values::message_of;

const std::vector<TensorRequest> all_requests{{.name = "x", .channel_axes = {1}},
                                              {.name = "h", .channel_axes = {1, -1}},
                                              {.name = "y", .histogram = false}};

TEST(Collect, TakesStatisticsOfEveryRequestedTensor) {
  const CalibrationStats stats = collect(fake_model(), all_requests, samples_of(3), fake, {});
  EXPECT_EQ(stats.samples, 3);
  ASSERT_EQ(stats.tensors.size(), 3U);
  TensorStats x;
  TensorStats h;
  TensorStats y;
  const Samples samples = samples_of(3);
  for (std::size_t i = 0; i < 3; ++i) {
    const Sample sample = samples.load(i);
    const Tensor& values = sample.inputs.at("x");
    x.histogram.add(values.as<float>());
    x.moments[1].add(values.as<float>(), 1, 2, 3);
    Tensor twice = values;
    for (float& value : twice.as<float>()) value *= 2.0F;
    h.histogram.add(twice.as<float>());
    h.moments[1].add(twice.as<float>(), 1, 2, 3);
    h.moments[2].add(twice.as<float>(), 2, 3, 1);
    Tensor more = values;
    for (float& value : more.as<float>()) value += 1.0F;
    y.histogram.add_range(more.as<float>());
  }
  x.shape = h.shape = y.shape = {1, 2, 3};
  EXPECT_EQ(stats.tensors.at("x"), x);
  EXPECT_EQ(stats.tensors.at("h"), h);
  EXPECT_EQ(stats.tensors.at("y"), y);
}

TEST(Collect, DoesNotDependOnThreadsBatchesOrOrder) {
  const CalibrationStats expected = collect(fake_model(), all_requests, samples_of(60), fake, {});
  for (const std::size_t threads : {1UL, 2UL, 5UL}) {
    const ThreadLimit limit(threads);
    EXPECT_EQ(collect(fake_model(), all_requests, samples_of(60), fake, {}), expected)
        << threads << " threads";
  }
  for (const std::size_t batch : {3UL, 60UL})
    EXPECT_EQ(collect(fake_model(), all_requests, samples_of(60, batch), fake, {}), expected)
        << batch << " in a batch";
  Samples reversed = samples_of(60);
  reversed.load = [load = reversed.load](std::size_t i) { return load(59 - i); };
  EXPECT_EQ(collect(fake_model(), all_requests, reversed, fake, {}), expected);
}

TEST(Collect, IsTheSumOfItsParts) {
  const Samples all = samples_of(10);
  Samples first = all;
  first.count = 4;
  Samples rest = all;
  rest.count = 6;
  rest.load = [load = all.load](std::size_t i) { return load(i + 4); };
  CalibrationStats whole = collect(fake_model(), all_requests, first, fake, {});
  merge(whole, collect(fake_model(), all_requests, rest, fake, {}));
  EXPECT_EQ(whole, collect(fake_model(), all_requests, all, fake, {}));
}

TEST(Collect, EndsWhereItIsToldThatNothingMovesAnyMore) {
  const auto first = [](std::size_t count) {
    return collect(fake_model(), all_requests, samples_of(count), fake, {});
  };
  for (const std::size_t threads : {1UL, 2UL, 5UL}) {
    const ThreadLimit limit(threads);
    std::vector<CalibrationStats> told;
    const Settled after_two = [&](const CalibrationStats& so_far) {
      told.push_back(so_far);
      return told.size() == 2;
    };
    const CalibrationStats found =
        collect(fake_model(), all_requests, samples_of(300), fake, {}, after_two);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0], first(settle_round));
    EXPECT_EQ(told[1], first(2 * settle_round));
    EXPECT_EQ(found, told[1]);
  }
}

TEST(Collect, AsksNobodyBehindTheLastSample) {
  std::size_t asked = 0;
  const Settled never = [&](const CalibrationStats&) {
    ++asked;
    return false;
  };
  EXPECT_EQ(collect(fake_model(), all_requests, samples_of(2 * settle_round), fake, {}, never),
            collect(fake_model(), all_requests, samples_of(2 * settle_round), fake, {}));
  EXPECT_EQ(asked, 1U);
}

TEST(Collect, MarksExtentsThatVary) {
  Samples samples = samples_of(2);
  samples.load = [](std::size_t i) {
    const auto width = static_cast<std::int64_t>(i) + 3;
    return Sample{
        .name = "s",
        .inputs = {{"x",
                    {.shape = {1, 2, width},
                     .values = std::vector<float>(static_cast<std::size_t>(2 * width), 1.0F)}}}};
  };
  const CalibrationStats stats =
      collect(fake_model(), {{.name = "h", .channel_axes = {1}}}, samples, fake, {});
  EXPECT_EQ(stats.tensors.at("h").shape, (Shape{1, 2, -1}));
  EXPECT_EQ(stats.tensors.at("h").moments.at(1).count(), 3 + 4);
}

TEST(Collect, JoinsRequestsOfTheSameTensor) {
  const CalibrationStats stats =
      collect(fake_model(), {{.name = "h", .histogram = false}, {.name = "h", .channel_axes = {1}}},
              samples_of(2), fake, {});
  EXPECT_FALSE(stats.tensors.at("h").histogram.range_only());
  EXPECT_EQ(stats.tensors.at("h").moments.size(), 1U);
}

TEST(Collect, OpensNoModelForGraphInputsAlone) {
  const Engine none = [](const Model&, const EngineOptions&) -> RunModel {
    throw_engine("opened");
  };
  const CalibrationStats stats = collect(fake_model(), {{.name = "x"}}, samples_of(2), none, {});
  EXPECT_EQ(stats.tensors.at("x").histogram.count(), 12);
}

TEST(Collect, KeepsTheStampOfSyntheticData) {
  Samples samples = samples_of(1);
  samples.synthetic = true;
  EXPECT_TRUE(collect(fake_model(), all_requests, samples, fake, {}).synthetic);
}

TEST(Collect, TellsItsProgressOneByOne) {
  const ThreadLimit limit(4);
  std::vector<std::size_t> seen;
  (void)collect(fake_model(), all_requests, samples_of(20), fake,
                [&](const std::string& what, std::size_t done, std::size_t total) {
                  EXPECT_EQ(what, "calibration");
                  EXPECT_EQ(total, 20U);
                  seen.push_back(done);
                });
  std::vector<std::size_t> expected(20);
  std::iota(expected.begin(), expected.end(), 1U);
  EXPECT_EQ(seen, expected);
}

// Samples of which those from `bad` on hold `value` somewhere.
Samples samples_with(float value, std::size_t bad) {
  Samples samples = samples_of(40);
  samples.load = [load = samples.load, value, bad](std::size_t i) {
    Sample sample = load(i);
    if (i >= bad) sample.inputs.at("x").as<float>()[i % 6] = value;
    return sample;
  };
  return samples;
}

TEST(Collect, NamesTheFirstSampleAndTensorThatAreNotFinite) {
  for (const std::size_t threads : {1UL, 4UL}) {
    const ThreadLimit limit(threads);
    EXPECT_EQ(message_of([] {
                (void)collect(fake_model(), {{.name = "h"}},
                              samples_with(std::numeric_limits<float>::quiet_NaN(), 23), fake, {});
              }),
              "sample '23.jpg': tensor 'h': holds NaN");
    EXPECT_EQ(message_of([] {
                (void)collect(fake_model(), {{.name = "h"}}, samples_with(3e38F, 17), fake, {});
              }),
              "sample '17.jpg': tensor 'h': holds infinity");
  }
}

TEST(Collect, PassesOnWhatLoadingThrows) {
  Samples samples = samples_of(8);
  samples.load = [load = samples.load](std::size_t i) {
    if (i == 5) throw_bad_input("5.jpg: broken");
    return load(i);
  };
  EXPECT_EQ(message_of([&] { (void)collect(fake_model(), all_requests, samples, fake, {}); }),
            "5.jpg: broken");
}

TEST(Collect, RefusesWhatCannotBeCollected) {
  EXPECT_EQ(message_of([] {
              (void)collect(fake_model(), {{.name = "none"}}, samples_of(1), onnx_runtime(), {});
            }),
            "the model has no value named 'none'");
  EXPECT_EQ(
      message_of([] { (void)collect(fake_model(), {{.name = "h"}}, samples_of(0), fake, {}); }),
      "images: holds no samples");
  EXPECT_EQ(message_of([] {
              (void)collect(fake_model(), {{.name = "h", .channel_axes = {3}}}, samples_of(1), fake,
                            {});
            }),
            "sample '0.jpg': tensor 'h': has no axis 3 in its shape [1,2,3]");
  Samples empty = samples_of(1);
  empty.load = [](std::size_t) { return Sample{.name = "empty"}; };
  EXPECT_EQ(message_of([&] { (void)collect(fake_model(), {{.name = "x"}}, empty, fake, {}); }),
            "sample 'empty': has no input 'x'");
  Samples integers = samples_of(1);
  integers.load = [](std::size_t) {
    return Sample{.name = "0",
                  .inputs = {{"x", {.shape = {1}, .values = std::vector<std::int64_t>{1}}}}};
  };
  EXPECT_EQ(message_of([&] { (void)collect(fake_model(), {{.name = "x"}}, integers, fake, {}); }),
            "sample '0': tensor 'x': holds no floats but int64");
}

TEST(Collect, TakesChannelsOfTheFirstAxisOverTheWholeTensor) {
  Samples samples = samples_of(1);
  samples.load = [](std::size_t) {
    return Sample{
        .name = "0",
        .inputs = {{"x", {.shape = {4, 2}, .values = std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}}}}};
  };
  const CalibrationStats stats =
      collect(fake_model(), {{.name = "x", .channel_axes = {0}}}, samples, fake, {});
  EXPECT_EQ(stats.tensors.at("x").moments.at(0).channels(), 4);
  EXPECT_EQ(stats.tensors.at("x").moments.at(0).mean(3), 7.5);
  EXPECT_EQ(stats.tensors.at("x").shape, (Shape{4, 2}));
}

TEST(Collect, RunsARealModelAndExposesItsInside) {
  const Model model = text_model(R"(
    input x float[?, 2];
    init w float[2, 2] {1, 2, 3, 4};
    mm: h = MatMul(x, w);
    relu: r = Relu(h);
    soft: y = Softmax(r);
    output y;
  )");
  const Samples samples{
      .count = 2, .load = [](std::size_t i) {
        const float sign = i == 0 ? 1.0F : -1.0F;
        return Sample{
            .name = "s",
            .inputs = {{"x", {.shape = {1, 2}, .values = std::vector<float>{sign, 2 * sign}}}}};
      }};
  const CalibrationStats stats = collect(
      model, {{.name = "h", .channel_axes = {-1}}, {.name = "r"}}, samples, onnx_runtime(), {});
  EXPECT_EQ(stats.tensors.at("h").histogram.max(), 10.0F);
  EXPECT_EQ(stats.tensors.at("h").histogram.min(), -10.0F);
  EXPECT_EQ(stats.tensors.at("h").moments.at(1).second_moment(0), 49.0);
  EXPECT_EQ(stats.tensors.at("r").histogram.zeros(), 2);
}

}  // namespace
}  // namespace ocs
