// Six small models from real use: each is quantized, loaded and run. Calibrated with four samples of standard normal inputs.
#include <cmath>
#include <numbers>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shared_models.h"
#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"

namespace ocs {
namespace {

// Free extents become 320, batches 1.
Samples normal_samples(const std::vector<Port>& ports, std::size_t count) {
  return {.count = count,
          .load =
              [ports](std::size_t i) {
                Random random(i + 1);
                Sample sample{.name = "sample " + std::to_string(i)};
                for (const Port& port : ports) {
                  Shape shape = port.shape;
                  for (std::size_t axis = 0; axis < shape.size(); ++axis)
                    if (shape[axis] < 0) shape[axis] = axis == 0 ? 1 : 320;
                  sample.inputs[port.name] = {
                      .shape = shape,
                      .values = random.normals(static_cast<std::size_t>(element_count(shape)))};
                }
                return sample;
              },
          .source = "normal values"};
}

class WildModels : public testing::TestWithParam<std::string> {};

TEST_P(WildModels, KeepTenDecibelsAtTheFirstOutput) {
  SKIP_WITHOUT_SHARED_DATA();
  const std::string name = "wild/" + GetParam();
  const Samples samples = normal_samples(shared_model(name).inputs(), 4);
  const Quantized result = quantize(shared_model(name), &samples, Recipe{}, onnx_runtime(), {});
  EXPECT_FALSE(result.unchanged);
  ASSERT_FALSE(result.report.outputs.empty());
  EXPECT_GE(result.report.outputs.front().sqnr_db, 10.0);
  (void)run_once(onnx_runtime()(result.model, {}), samples.load(0).inputs);
  for (const LayerReport& layer : result.report.layers)
    EXPECT_TRUE(layer.quantized || !layer.reason.empty()) << layer.node;
}

INSTANTIATE_TEST_SUITE_P(Models, WildModels,
                         testing::Values("dtln_1", "ppocr_cls", "ppocrv4_det", "ultraface_rfb_320",
                                         "yolox_nano"),
                         [](const auto& name) { return name.param; });

TEST(WildModels, ShowBoxesAndScoresOfADetectorApart) {
  SKIP_WITHOUT_SHARED_DATA();
  const std::string name = "wild/yolox_nano";
  const Samples samples = normal_samples(shared_model(name).inputs(), 2);
  const Quantized result = quantize(shared_model(name), &samples, Recipe{}, onnx_runtime(), {});
  EXPECT_EQ(result.report.outputs.size(), 4U);  // the output, boxes, objectness, classes
}

// Everything lies in the branches of two Ifs, one for each sample rate; its weights are Constant
// nodes, those of the LSTM computed by Slice and Concat. The data: a tone in noise.
TEST(WildModels, AreQuantizedWhereAllLayersLieInBodies) {
  SKIP_WITHOUT_SHARED_DATA();
  const Model model = shared_model("wild/silero_vad_v5");
  const auto samples_at = [](std::int64_t rate, std::int64_t length) {
    return Samples{
        .count = 4, .load = [=](std::size_t i) {
          Random random(i + 1);
          std::vector<float> wave = random.normals(static_cast<std::size_t>(length));
          const double pitch = 2.0 * std::numbers::pi * (100.0 + 60.0 * static_cast<double>(i)) /
                               static_cast<double>(rate);
          for (std::size_t t = 0; t < wave.size(); ++t)
            wave[t] = 0.1F * wave[t] +
                      0.3F * static_cast<float>(std::sin(pitch * static_cast<double>(t)));
          std::vector<float> state = random.normals(256);
          for (float& value : state) value *= 0.3F;
          return Sample{.inputs = {{"input", {.shape = {1, length}, .values = std::move(wave)}},
                                   {"state", {.shape = {2, 1, 128}, .values = std::move(state)}},
                                   {"sr", {.values = std::vector<std::int64_t>{rate}}}}};
        }};
  };
  Recipe recipe = built_in_recipe("weights-only");
  for (const double ratio : {0.0, 0.05}) {
    recipe.expand_ratio = ratio;
    for (const auto& [rate, length] : {std::pair{16000, 576}, std::pair{8000, 288}}) {
      const Samples samples = samples_at(rate, length);
      const Quantized result = quantize(model.clone(), &samples, recipe, onnx_runtime(), {});
      ASSERT_EQ(result.report.layers.size(), 20U);
      for (const LayerReport& layer : result.report.layers)
        EXPECT_TRUE(layer.quantized) << layer.name() << ": " << layer.reason;
      EXPECT_LT(result.model.proto().ByteSizeLong(), model.proto().ByteSizeLong() * 2 / 5);
      ASSERT_EQ(result.report.outputs.size(), 2U);
      for (const OutputReport& output : result.report.outputs)
        EXPECT_GE(output.sqnr_db, 20.0) << output.name << " at " << rate;
    }
  }
}

}  // namespace
}  // namespace ocs
