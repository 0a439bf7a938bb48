// Equalization of every model of ../shared: the float network stays what it was.
#include <filesystem>

#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/equalize_channels.h"
#include "passes/same_outputs.h"
#include "support/models.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

// The sums of these networks have up to some thousand terms, of factors that were rounded once more,
// through up to a hundred layers.
constexpr double network_rounding = 2e-5;

struct RealModel {
  const char* file = "";
  bool has_free_channels = true;
};

void PrintTo(const RealModel& model, std::ostream* out) { *out << model.file; }

class EqualizeModels : public testing::TestWithParam<RealModel> {};

TEST_P(EqualizeModels, KeepsWhatTheFloatNetworkComputes) {
  const fs::path file = fs::path(OCS_SOURCE_DIR) / "../shared/data/models" / GetParam().file;
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
  Recipe recipe = built_in_recipe("int8-per-tensor");
  recipe.equalize = true;
  Prepared prepared = prepare(read_model(file), recipe, {});
  const Model before = prepared.model.clone();
  const Samples samples{.count = 2, .load = [&](std::size_t i) {
                          return Sample{.name = std::to_string(i),
                                        .inputs = random_inputs(before, i + 1, 1)};
                        }};
  equalize_channels(prepared, &samples, recipe, onnx_runtime(), {});
  EXPECT_EQ(initializer_names(before) != initializer_names(prepared.model),
            GetParam().has_free_channels);
  for (std::size_t i = 0; i < samples.count; ++i)
    expect_same_outputs(before, prepared.model, network_rounding, samples.load(i).inputs);
}

INSTANTIATE_TEST_SUITE_P(
    Shared, EqualizeModels,
    testing::Values(RealModel{"mobilenet_v1_0.75_224.onnx"}, RealModel{"mobilenet_v2.onnx"},
                    RealModel{"resnet20_cifar10.onnx"}, RealModel{"resnet50.onnx"},
                    RealModel{"squeezenet1.1.onnx"}, RealModel{"wild/ppocr_cls.onnx"},
                    RealModel{"wild/ppocrv4_det.onnx"}, RealModel{"wild/ultraface_rfb_320.onnx"},
                    // SiLU everywhere
                    RealModel{"wild/yolox_nano.onnx", false}),
    [](const auto& instance) {
      std::string name = fs::path(instance.param.file).stem().string();
      for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      return name;
    });

}  // namespace
}  // namespace ocs
