// On a real network with copies in every layer, the forms of a split give the same logits to the last bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shared_models.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/recipe/recipe_json.h"

namespace ocs {
namespace {

std::vector<Tensor> logits(const Recipe& recipe) {
  const std::string name = "resnet20_cifar10";
  const RunModel run = onnx_runtime()(quantize_shared(name, recipe, 32).model, {});
  const Samples images = shared_images(name, 8);
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < images.count; ++i)
    results.push_back(run_once(run, images.load(i).inputs).at("logits"));
  return results;
}

class FormsOnModels : public testing::TestWithParam<int> {};

TEST_P(FormsOnModels, AreBitIdentical) {
  SKIP_WITHOUT_SHARED_DATA();
  Recipe recipe = built_in_recipe("int8-per-tensor");
  recipe.weight_bits = GetParam();
  set_option(recipe, "expand_ratio", "0.1");
  recipe.measure_count = 0;
  recipe.split_form = SplitForm::gather;
  const std::vector<Tensor> gathered = logits(recipe);
  for (const SplitForm form :
       {SplitForm::slice, SplitForm::fold, SplitForm::virtual_, SplitForm::automatic}) {
    recipe.split_form = form;
    EXPECT_EQ(logits(recipe), gathered) << "form " << static_cast<int>(form);
  }
}

INSTANTIATE_TEST_SUITE_P(WeightBits, FormsOnModels, testing::Values(8, 5));

}  // namespace
}  // namespace ocs
