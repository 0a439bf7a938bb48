#include "cli/recipe_options.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/arguments.h"
#include "ocs/core/error.h"
#include "ocs/recipe/recipe_keys.h"

namespace ocs::cli {
namespace {

using testing::ElementsAre;
using testing::ThrowsMessage;

Recipe recipe_from(std::vector<std::string> words) {
  CLI::App app;
  RecipeArguments arguments;
  std::string model;
  app.add_option("MODEL", model);
  add_recipe_options(app, arguments);
  words = with_switches_joined(words);
  std::ranges::reverse(words);
  app.parse(words);
  return recipe_of(arguments);
}

TEST(RecipeOptions, ExistForEveryKey) {
  CLI::App app;
  RecipeArguments arguments;
  add_recipe_options(app, arguments);
  for (const RecipeKey& key : recipe_keys()) {
    std::string name = "--" + std::string(key.name);
    std::ranges::replace(name, '_', '-');
    EXPECT_NO_THROW((void)app.get_option(name)) << name;
  }
}

TEST(RecipeOptions, AreTheDefaultRecipeWithoutWords) {
  EXPECT_EQ(recipe_from({}), built_in_recipe("int8"));
}

TEST(RecipeOptions, ChangeTheRecipeWhateverTheOrder) {
  Recipe expected = built_in_recipe("paper");
  expected.weight_bits = 5;
  expected.act_bits.reset();
  expected.fallback = true;
  EXPECT_EQ(
      recipe_from({"--weight-bits", "5", "--act-bits=float", "--fallback", "--recipe", "paper"}),
      expected);
}

TEST(RecipeOptions, TakeTheLastOfSeveralValuesAndAllOfALists) {
  const Recipe recipe =
      recipe_from({"--weight-bits", "5", "--keep-float", "a*", "model.onnx", "--weight-bits", "6",
                   "--keep-float", "last", "--override", "fc:act-bits=float"});
  EXPECT_EQ(recipe.weight_bits, 6);
  EXPECT_THAT(recipe.keep_float, ElementsAre("a*", "last"));
  EXPECT_EQ(recipe.overrides,
            (std::vector<Override>{{.pattern = "fc", .key = "act_bits", .value = "float"}}));
}

TEST(RecipeOptions, NameTheOptionOfAWrongValue) {
  EXPECT_THAT(
      [] {
        (void)recipe_from({"--weight-bits", "x"});
      },
      ThrowsMessage<Error>("--weight-bits: 'x' is not a whole number"));
  EXPECT_THAT(
      [] {
        (void)recipe_from({"--recipe", "papr"});
      },
      ThrowsMessage<Error>("--recipe: no recipe named 'papr' (did you mean 'paper'?); a file of "
                           "your own must end in .json"));
}

}  // namespace
}  // namespace ocs::cli
