// Six small models from real use: each is quantized, loaded and run. Calibrated with four samples of standard normal inputs.
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

TEST(WildModels, StayAsTheyAreWhereAllLayersLieInABody) {
  SKIP_WITHOUT_SHARED_DATA();
  const Quantized result = quantize(shared_model("wild/silero_vad_v5"), nullptr,
                                    built_in_recipe("weights-only"), onnx_runtime(), {});
  EXPECT_TRUE(result.unchanged);
  EXPECT_FALSE(result.report.layers.empty());
  for (const LayerReport& layer : result.report.layers)
    EXPECT_THAT(layer.reason, testing::HasSubstr("body"));
}

}  // namespace
}  // namespace ocs
