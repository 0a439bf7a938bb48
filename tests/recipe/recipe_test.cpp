#include "ocs/recipe/recipe.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Recipe with_override(const std::string& pattern, const std::string& key, const std::string& value) {
  Recipe recipe;
  recipe.overrides.push_back({.pattern = pattern, .key = key, .value = value});
  return recipe;
}

TEST(BuiltInRecipe, HoldsWhatThePaperDoes) {
  const Recipe paper = built_in_recipe("paper");
  EXPECT_EQ(paper.weight_bits, 8);
  EXPECT_EQ(paper.act_bits, 8);
  EXPECT_EQ(paper.weight_clip, Clip{MaxClip{}});
  EXPECT_EQ(paper.act_clip, Clip{MaxClip{}});
  EXPECT_EQ(paper.expand_ratio, 0.0);
  EXPECT_EQ(paper.split, SplitKind::quantization_aware);
  EXPECT_EQ(paper.split_parts, SplitParts::halving);
  EXPECT_EQ(paper.weight_granularity, Granularity::tensor);
  EXPECT_EQ(paper.act_range, ActRange::symmetric);
  EXPECT_EQ(paper.act_scope, ActScope::inputs);
  EXPECT_FALSE(paper.fold_batchnorm);
  EXPECT_FALSE(paper.smooth);
  EXPECT_FALSE(paper.bias_correction);
  EXPECT_FALSE(paper.fallback);
  EXPECT_FALSE(paper.fill_multiples);
  EXPECT_TRUE(paper.first_float);
  EXPECT_TRUE(paper.recurrent_float);
}

TEST(BuiltInRecipe, AsksForNoDataInWeightsOnly) {
  const Recipe recipe = built_in_recipe("weights-only");
  EXPECT_FALSE(recipe.act_bits.has_value());
  EXPECT_EQ(recipe.weight_granularity, Granularity::channel);
}

TEST(BuiltInRecipe, IsValidAndCarriesItsName) {
  EXPECT_THAT(built_in_recipe_names(),
              ElementsAre("int8", "int8-per-tensor", "best", "dynamic", "weights-only", "paper"));
  for (const std::string& name : built_in_recipe_names()) {
    EXPECT_EQ(built_in_recipe(name).name, name);
    EXPECT_NO_THROW(check(built_in_recipe(name)));
  }
  EXPECT_EQ(built_in_recipe("int8"), Recipe{});
}

TEST(BuiltInRecipe, SuggestsTheNearestName) {
  EXPECT_THAT([] { (void)built_in_recipe("papr"); },
              ThrowsMessage<Error>("no recipe named 'papr' (did you mean 'paper'?)"));
}

TEST(CheckRecipe, NamesTheKeyOfAValueOutOfRange) {
  const auto message_of = [](auto change) {
    Recipe recipe;
    change(recipe);
    try {
      check(recipe);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::bad_input);
      return std::string(error.what());
    }
    return std::string("valid");
  };
  EXPECT_EQ(message_of([](Recipe& r) { r.weight_bits = 9; }), "weight_bits: 9 is not in 2..8");
  EXPECT_EQ(message_of([](Recipe& r) { r.weight_bits = 1; }), "weight_bits: 1 is not in 2..8");
  EXPECT_EQ(message_of([](Recipe& r) { r.act_bits = 12; }),
            "act_bits: 12 is neither in 2..8 nor 16 nor float");
  EXPECT_EQ(message_of([](Recipe& r) { r.act_bits = 16; }), "valid");
  EXPECT_EQ(message_of([](Recipe& r) { r.expand_ratio = -0.5; }),
            "expand_ratio: -0.5 is not in 0..4");
  EXPECT_EQ(
      message_of([](Recipe& r) { r.expand_ratio = std::numeric_limits<double>::quiet_NaN(); }),
      "expand_ratio: nan is not in 0..4");
  EXPECT_EQ(message_of([](Recipe& r) { r.opset = 12; }), "opset: 12 is neither 0 nor in 13..25");
  EXPECT_EQ(message_of([](Recipe& r) { r.target = "ort_cpu"; }),
            "target: no target named 'ort_cpu' (did you mean 'ort-cpu'?)");
  EXPECT_EQ(message_of([](Recipe& r) { r.keep_float = {""}; }), "keep_float: a pattern is empty");
}

TEST(SamplesForBudget, AreTakenUnderALatencyBudgetUnlessSaidOtherwise) {
  EXPECT_EQ(samples_for_budget(Recipe{}), 0U);
  EXPECT_EQ(samples_for_budget(Recipe{.mac_budget = 0.02}), 0U);
  EXPECT_EQ(samples_for_budget(Recipe{.latency_budget = 0.02}), 16U);
  EXPECT_EQ(samples_for_budget(Recipe{.latency_budget = 0.02, .budget_samples = 0}), 0U);
  EXPECT_EQ(samples_for_budget(Recipe{.mac_budget = 0.02, .budget_samples = 8}), 8U);
  EXPECT_EQ(samples_for_budget(Recipe{.budget_samples = 8}), 0U);
}

TEST(CheckRecipe, LooksIntoOverrides) {
  EXPECT_NO_THROW(check(with_override("conv*", "weight_bits", "4")));
  EXPECT_THAT([] { check(with_override("conv*", "weight_bit", "4")); },
              ThrowsMessage<Error>("override 'conv*:weight_bit=4': unknown key 'weight_bit' "
                                   "(did you mean 'weight_bits'?)"));
  EXPECT_THAT(
      [] { check(with_override("conv*", "seed", "4")); },
      ThrowsMessage<Error>(
          "override 'conv*:seed=4': 'seed' holds for the whole model, not for single nodes"));
  EXPECT_THAT(
      [] { check(with_override("conv*", "weight_bits", "40")); },
      ThrowsMessage<Error>("override 'conv*:weight_bits=40': weight_bits: 40 is not in 2..8"));
  EXPECT_THAT([] { check(with_override("conv*", "weight_clip", "mes")); },
              ThrowsMessage<Error>(HasSubstr("mes")));
}

TEST(Matches, KnowsFirstAndLastAsWords) {
  EXPECT_TRUE(matches("first", "conv1", {.first = true}));
  EXPECT_FALSE(matches("first", "first", {}));
  EXPECT_TRUE(matches("last", "fc", {.last = true}));
  EXPECT_FALSE(matches("last", "fc", {.first = true}));
}

TEST(Matches, TakesANameWithPatternCharactersForItself) {
  EXPECT_TRUE(matches("block[0]/conv", "block[0]/conv", {}));
  EXPECT_TRUE(matches("block[0]/conv", "block0/conv", {}));
  EXPECT_FALSE(matches("block[0]/conv", "block1/conv", {}));
}

TEST(RecipeFor, AppliesTheOverridesOfANodeInOrder) {
  Recipe recipe = with_override("conv*", "weight_bits", "4");
  recipe.overrides.push_back({.pattern = "conv2", .key = "weight_bits", .value = "6"});
  recipe.overrides.push_back({.pattern = "last", .key = "act_bits", .value = "float"});
  EXPECT_EQ(recipe_for(recipe, "conv1", {}).weight_bits, 4);
  EXPECT_EQ(recipe_for(recipe, "conv2", {}).weight_bits, 6);
  EXPECT_EQ(recipe_for(recipe, "fc", {}).weight_bits, 8);
  EXPECT_EQ(recipe_for(recipe, "fc", {}).act_bits, 8);
  EXPECT_EQ(recipe_for(recipe, "fc", {.last = true}).act_bits, std::nullopt);
}

}  // namespace
}  // namespace ocs
