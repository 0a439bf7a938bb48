// What a calibration takes from the engine beside plain statistics: outputs that are kept, and values in blocks of channels.
#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibrate/fake_engine.h"
#include "calibrate/values.h"
#include "ocs/calibrate/collect.h"
#include "ocs/core/parallel.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using fake_engine::fake;
using fake_engine::fake_model;
using fake_engine::samples_of;

TEST(Collect, KeepsOutputsOfTheFirstSamples) {
  const std::vector<TensorRequest> requests{{.name = "h"}};
  KeptOutputs kept{.names = {"x", "h", "y"}, .count = 2};
  const CalibrationStats stats =
      collect(fake_model(), requests, samples_of(4), fake, {}, {}, &kept);
  EXPECT_EQ(stats, collect(fake_model(), requests, samples_of(4), fake, {}));
  ASSERT_EQ(kept.samples.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_THAT(kept.samples[i], testing::SizeIs(2));  // the input is the caller's own
    const Sample sample = samples_of(4).load(i);
    const auto x = sample.inputs.at("x").as<float>();
    for (std::size_t k = 0; k < x.size(); ++k) {
      EXPECT_EQ(kept.samples[i].at("h").as<float>()[k], 2.0F * x[k]);
      EXPECT_EQ(kept.samples[i].at("y").as<float>()[k], x[k] + 1.0F);
    }
  }
}

TEST(Collect, KeepsNoMoreOutputsThanItRanSamples) {
  KeptOutputs kept{.names = {"y"}, .count = 1000};
  const Settled at_once = [](const CalibrationStats&) { return true; };
  (void)collect(fake_model(), {{.name = "h"}}, samples_of(2 * settle_round), fake, {}, at_once,
                &kept);
  EXPECT_EQ(kept.samples.size(), settle_round);
}

// The session is one for all samples: what takes much more than the requests is left to a run of its own.
TEST(Collect, KeepsNoOutputsThatLieFarBehindTheRequests) {
  std::string far = "input x float[1, 2, 3]; h = Relu(x); y0 = Relu(h); output y50;";
  for (int i = 0; i < 50; ++i)
    far += "y" + std::to_string(i + 1) + " = Neg(y" + std::to_string(i) + ");";
  const std::string heavy =
      "input x float[1, 2, 4096]; init w float[4096, 2048] zeros; h = Relu(x); y = MatMul(h, w); "
      "output y;";
  for (const auto& [text, output] : {std::pair(far, "y50"), std::pair(heavy, "y")}) {
    std::vector<std::string> asked;
    const Engine watching = [&](const Model& model, const EngineOptions& options) {
      asked = options.outputs;
      return onnx_runtime()(model, options);
    };
    const Samples samples{
        .count = 1,
        .load =
            [&](std::size_t) {
              const Shape shape{1, 2, output == std::string("y") ? 4096 : 3};
              return Sample{
                  .name = "0",
                  .inputs = {{"x",
                              {.shape = shape,
                               .values = std::vector<float>(
                                   static_cast<std::size_t>(element_count(shape)), 1.0F)}}}};
            },
        .source = "one"};
    KeptOutputs kept{.names = {output}, .count = 1};
    (void)collect(text_model(text), {{.name = "h"}}, samples, watching, {}, {}, &kept);
    EXPECT_THAT(kept.samples, testing::IsEmpty());
    EXPECT_THAT(asked, testing::ElementsAre("h"));
  }
}

// `fake`, with every value in blocks of 8 channels.
const Engine fake_in_blocks = [](const Model& model, const EngineOptions& options) {
  constexpr std::int64_t block = 8;
  EXPECT_TRUE(options.takes_blocks);
  RunModel run = fake(model, options);
  run.run = [plain = run.run](const NamedTensors& inputs, const Receive& receive) {
    plain(inputs, [&](std::span<const OutputView> outputs) {
      for (const OutputView& output : outputs) {
        const std::int64_t channels = output.tensor.shape[1];
        const std::int64_t inner = element_count(output.tensor.shape.subspan(2));
        const auto values = output.tensor.as<float>();
        std::vector<float> memory;
        for (auto item = values.begin(); item != values.end(); item += channels * inner) {
          const std::vector<float> one =
              values::blocked({item, item + channels * inner}, channels, inner, block);
          memory.insert(memory.end(), one.begin(), one.end());
        }
        OutputView in_blocks = output;
        in_blocks.tensor.data = memory.data();
        in_blocks.block = block;
        receive({&in_blocks, 1});
      }
    });
  };
  return run;
};

TEST(Collect, TakesBlocksOfChannelsForTheValuesInThem) {
  const std::vector<TensorRequest> requests{{.name = "x", .channel_axes = {1}},
                                            {.name = "h", .channel_axes = {1, -1}},
                                            {.name = "y", .histogram = false}};
  std::vector<TensorRequest> others{{.name = "h", .channel_axes = {-2}},
                                    {.name = "y", .channel_axes = {1}, .magnitudes = true}};
  for (const auto& asked :
       {requests, others, {{.name = "h"}}, {{.name = "h", .channel_axes = {0}}}})
    for (const std::int64_t channels : {2, 8, 20})
      for (const std::size_t batch : {1U, 3U}) {
        const Samples samples = samples_of(6, batch, channels);
        KeptOutputs kept{.names = {"y"}, .count = 2};
        KeptOutputs kept_in_blocks = kept;
        EXPECT_EQ(collect(fake_model(), asked, samples, fake_in_blocks, {}, {}, &kept_in_blocks),
                  collect(fake_model(), asked, samples, fake, {}, {}, &kept));
        EXPECT_EQ(kept_in_blocks.samples, kept.samples);
      }
}

// The engine's own blocks, where its processor has some: channels that fill blocks and channels that do not, and outputs that are kept.
TEST(Collect, FindsTheSameInTheEnginesBlocksAsInOrder) {
  const Model model = text_model(R"(
    input x float[1, 16, 6, 6];
    init v float[32, 16, 3, 3] random 1;  init w float[20, 32, 1, 1] random 2;
    a = Conv(x, v);  b = Relu(a);  c = Conv(b, w);  y = Relu(c);
    output y;
  )");
  const Samples samples{.count = 5,
                        .load =
                            [](std::size_t i) {
                              return Sample{
                                  .name = std::to_string(i),
                                  .inputs = {{"x",
                                              {.shape = {1, 16, 6, 6},
                                               .values = values::activations(i, 16 * 36, false)}}}};
                            },
                        .source = "normals"};
  const std::vector<TensorRequest> requests{{.name = "a", .channel_axes = {1}},
                                            {.name = "b"},
                                            {.name = "c"},
                                            {.name = "y", .channel_axes = {1}}};
  bool was_asked = false;
  std::int64_t block = 1;
  const Engine in_blocks = [&](const Model& opened, const EngineOptions& options) {
    RunModel run = onnx_runtime()(opened, options);
    run.run = [&block, given = run.run](const NamedTensors& inputs, const Receive& receive) {
      given(inputs, [&](std::span<const OutputView> outputs) {
        if (outputs[0].name == "b") block = outputs[0].block;
        receive(outputs);
      });
    };
    return run;
  };
  const ThreadLimit one(1);
  const Engine in_order = [&](const Model& opened, EngineOptions options) {
    was_asked = options.takes_blocks;
    options.takes_blocks = false;
    return onnx_runtime()(opened, options);
  };
  KeptOutputs kept{.names = {"y"}, .count = 2};
  KeptOutputs kept_in_order = kept;
  EXPECT_EQ(collect(model, requests, samples, in_blocks, {}, {}, &kept),
            collect(model, requests, samples, in_order, {}, {}, &kept_in_order));
  EXPECT_TRUE(was_asked);
#ifdef __x86_64__
  EXPECT_GT(block, 1);
#endif
  EXPECT_EQ(kept.samples, kept_in_order.samples);
}

}  // namespace
}  // namespace ocs
