#include "ocs/recipe/recipe_json.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/recipe/recipe_keys.h"
#include "support/folder.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Recipe from_text(std::string_view text) {
  return recipe_from_json(parse_json(text, "r.json"), "r.json");
}

// A recipe in which no key has the value that `int8` gives it.
Recipe unusual_recipe() {
  Recipe recipe;
  recipe.name = "mine";
  recipe.weight_bits = 3;
  recipe.act_bits.reset();
  recipe.weight_granularity = Granularity::tensor;
  recipe.act_range = ActRange::symmetric;
  recipe.act_scope = ActScope::inputs;
  recipe.weight_clip = PercentileClip{.percent = 99.5};
  recipe.act_clip = AciqClip{.ordinary_deviation = true};
  recipe.expand_ratio = 0.1;
  recipe.split = SplitKind::naive;
  recipe.split_parts = SplitParts::halving;
  recipe.split_form = SplitForm::virtual_;
  recipe.split_first = true;
  recipe.fill_multiples = false;
  recipe.fold_batchnorm = false;
  recipe.bias_correction = false;
  recipe.fallback = false;
  recipe.first_float = true;
  recipe.recurrent_float = true;
  recipe.quantize_embeddings = true;
  recipe.keep_float = {"a*", "last"};
  recipe.overrides = {{.pattern = "a:0/b=c", .key = "weight_clip", .value = "percentile:99.9"}};
  recipe.opset = 21;
  recipe.seed = 18446744073709551615U;
  recipe.calib_count = 64;
  recipe.measure_count = 0;
  return recipe;
}

TEST(RecipeJson, ReadsBackWhatItWrites) {
  for (const std::string& name : built_in_recipe_names()) {
    const Recipe recipe = built_in_recipe(name);
    EXPECT_EQ(recipe_from_json(to_json(recipe), "r"), recipe) << name;
  }
  EXPECT_EQ(recipe_from_json(to_json(unusual_recipe()), "r"), unusual_recipe());
  EXPECT_EQ(from_text(to_json(unusual_recipe()).dump(2)), unusual_recipe());
}

TEST(RecipeJson, WritesEveryKeyInTheOrderOfTheTable) {
  const Json json = to_json(Recipe{});
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  std::vector<std::string> expected = recipe_key_names();
  expected.insert(expected.begin(), "name");
  EXPECT_EQ(keys, expected);
  EXPECT_EQ(json["act_bits"], 8);
  EXPECT_EQ(json["fold_batchnorm"], true);
  EXPECT_EQ(json["split_form"], "auto");
  EXPECT_EQ(json["keep_float"], Json::array());
}

TEST(RecipeJson, StartsFromTheRecipeItNames) {
  EXPECT_EQ(from_text("{}"), Recipe{});
  Recipe paper = built_in_recipe("paper");
  EXPECT_EQ(from_text(R"({"name": "paper"})"), paper);
  paper.name = "mine";
  paper.weight_bits = 5;
  EXPECT_EQ(from_text(R"({"name": "mine", "base": "paper", "weight_bits": 5})"), paper);
  Recipe mine;
  mine.name = "mine";
  EXPECT_EQ(from_text(R"({"name": "mine"})"), mine);
}

TEST(RecipeJson, ReplacesTheListsOfItsBaseByItsOwn) {
  const Recipe recipe =
      from_text(R"({"base": "best", "keep_float": ["a", "b*"], "override": ["c:weight-bits=4"]})");
  EXPECT_THAT(recipe.keep_float, testing::ElementsAre("a", "b*"));
  EXPECT_EQ(recipe.overrides,
            (std::vector<Override>{{.pattern = "c", .key = "weight_bits", .value = "4"}}));
}

TEST(RecipeJson, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(
      [] { (void)from_text(R"({"weight_bit": 4})"); },
      ThrowsMessage<Error>("r.json: unknown key 'weight_bit' (did you mean 'weight_bits'?)"));
  EXPECT_THAT([] { (void)from_text(R"({"base": "papr"})"); },
              ThrowsMessage<Error>("r.json: no recipe named 'papr' (did you mean 'paper'?)"));
  EXPECT_THAT([] { (void)from_text("[1]"); },
              ThrowsMessage<Error>(HasSubstr("r.json: expected a JSON object")));
}

TEST(RecipeJson, NamesFileAndKeyOfAWrongValue) {
  EXPECT_THAT([] { (void)from_text(R"({"weight_bits": 4.5})"); },
              ThrowsMessage<Error>("r.json: weight_bits: '4.5' is not a whole number"));
  EXPECT_THAT([] { (void)from_text(R"({"weight_bits": [4]})"); },
              ThrowsMessage<Error>(
                  "r.json: weight_bits: has a value of the wrong type: [4]; it takes 2..8"));
  EXPECT_THAT([] { (void)from_text(R"({"weight_bits": 1})"); },
              ThrowsMessage<Error>("r.json: weight_bits: 1 is not in 2..8"));
  EXPECT_THAT([] { (void)from_text(R"({"fallback": 1})"); },
              ThrowsMessage<Error>("r.json: fallback: '1' is neither on nor off"));
  EXPECT_THAT([] { (void)from_text(R"({"keep_float": "a"})"); },
              ThrowsMessage<Error>(HasSubstr("r.json: keep_float: has a value of the wrong type")));
  EXPECT_THAT(
      [] { (void)from_text(R"({"split": "QA"})"); },
      ThrowsMessage<Error>("r.json: split: 'QA' is none of qa, naive (did you mean 'qa'?)"));
  EXPECT_THAT([] { (void)from_text(R"({"seed": -1})"); },
              ThrowsMessage<Error>("r.json: seed: '-1' is not a whole number"));
}

// Numbers may stand in quotes, as every value.
TEST(RecipeJson, TakesAnExpandRatioOf0ForNoCopiesButThoseOfItsOwnBudget) {
  const std::string base = R"({"base": "int8-per-tensor", "expand_ratio": )";
  for (const char* zero : {"0", "0.0", "\"0\""})
    EXPECT_EQ(from_text(base + zero + "}").latency_budget, 0.0) << zero;
  EXPECT_EQ(from_text(base + R"(0, "byte_budget": 0.02})").byte_budget, 0.02);
  EXPECT_EQ(from_text(base + R"("0.05"})").expand_ratio, 0.05);
}

TEST(ReadRecipe, TakesANameOrAFile) {
  EXPECT_EQ(read_recipe("weights-only"), built_in_recipe("weights-only"));
  const TestFolder folder;
  const std::filesystem::path file = folder / "recipe.json";
  std::ofstream(file) << R"({"weight_bits": 5})";
  EXPECT_EQ(read_recipe(file.string()).weight_bits, 5);
  std::filesystem::remove(file);
  EXPECT_THAT([&] { (void)read_recipe(file.string()); },
              ThrowsMessage<Error>(HasSubstr(file.string())));
}

TEST(ReadRecipe, SaysWhatAFileIsCalled) {
  EXPECT_THAT(
      [] { (void)read_recipe("int-8"); },
      ThrowsMessage<Error>(
          "no recipe named 'int-8' (did you mean 'int8'?); a file of your own must end in .json"));
}

}  // namespace
}  // namespace ocs
