// Real models, quantized by our own recipes: the forecast of every node is what the engine does.
#include "support/models.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "end_to_end/shared_models.h"
#include "lint/engine_truth.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/passes/name_nodes.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/recipe/recipe_json.h"

namespace ocs {
namespace {

struct RealModel {
  std::string file{};
  std::string recipe{};
  bool is_clean = false;  // all of it runs on integers
  std::vector<std::pair<std::string, std::string>> settings{};
};

void PrintTo(const RealModel& model, std::ostream* out) {
  *out << model.file << ' ' << model.recipe;
  for (const auto& [key, value] : model.settings) *out << ' ' << key << ' ' << value;
}

class RealModels : public testing::TestWithParam<RealModel> {};

TEST_P(RealModels, AreForecastAsTheEngineRunsThem) {
  SKIP_WITHOUT_SHARED_DATA();
  Model model = read_model(shared_data() / "models" / (GetParam().file + ".onnx"));
  Recipe recipe = built_in_recipe(GetParam().recipe);
  recipe.measure_count = 0;
  recipe.fallback = false;
  for (const auto& [key, value] : GetParam().settings) set_option(recipe, key, value);
  const Model inputs_of = model.clone();
  const Samples samples{.count = 2, .load = [&](std::size_t i) {
                          return Sample{.name = std::to_string(i),
                                        .inputs = random_inputs(inputs_of, i + 1, 1)};
                        }};
  const Quantized quantized = quantize(std::move(model), &samples, recipe, onnx_runtime(), {});
  const Model named = name_nodes(quantized.model.clone()).model;
  expect_engine_agrees(named, lint_target("ort-cpu"));
  EXPECT_EQ(forecast(named, lint_target("ort-cpu")).is_clean(), GetParam().is_clean);
}

INSTANTIATE_TEST_SUITE_P(
    Shared, RealModels,
    testing::Values(
        RealModel{"resnet20_cifar10", "int8", true},
        RealModel{"resnet20_cifar10", "int8", false, {{"act_bits", "16"}}},
        RealModel{"resnet20_cifar10", "int8", true, {{"act_bits", "6"}}},
        RealModel{
            "resnet20_cifar10", "int8", true, {{"expand_ratio", "0.05"}, {"split_form", "gather"}}},
        RealModel{
            "resnet20_cifar10", "int8", true, {{"expand_ratio", "0.05"}, {"split_form", "slice"}}},
        RealModel{"lstm_wikitext2", "weights-only", false, {{"quantize_embeddings", "on"}}},
        RealModel{"wild/dtln_1", "weights-only", false, {{"recurrent_form", "dynamic"}}},
        RealModel{"resnet20_cifar10", "weights-only"}, RealModel{"squeezenet1.1", "int8", true},
        RealModel{"mobilenet_v2", "int8-per-tensor", true},
        RealModel{"mobilenet_v1_0.75_224", "int8", true}, RealModel{"resnet50", "int8", true},
        RealModel{"wild/ppocr_cls", "int8"}, RealModel{"wild/ppocrv4_det", "int8"},
        RealModel{"wild/ultraface_rfb_320", "int8-per-tensor"},
        RealModel{"wild/yolox_nano", "int8"}, RealModel{"wild/dtln_1", "int8"},
        RealModel{"wild/dtln_1", "weights-only"}),
    [](const auto& each) {
      std::string name = each.param.file + "_" + each.param.recipe;
      for (const auto& [key, value] : each.param.settings) name += "_" + key + "_" + value;
      for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      return name;
    });

}  // namespace
}  // namespace ocs
