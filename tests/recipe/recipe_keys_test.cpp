#include "ocs/recipe/recipe_keys.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/recipe/recipe_json.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(RecipeKeys, HaveNamesOfTheirOwnAndHelp) {
  std::set<std::string_view> names;
  for (const RecipeKey& key : recipe_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_FALSE(key.help.empty()) << key.name;
    EXPECT_FALSE(key.values.empty()) << key.name;
    EXPECT_EQ(key.name.find('-'), std::string_view::npos) << key.name;
  }
}

TEST(RecipeKeys, TakeTheTextOfTheirOwnValue) {
  for (const std::string& name : built_in_recipe_names()) {
    const Recipe recipe = built_in_recipe(name);
    for (const RecipeKey& key : recipe_keys()) {
      if (key.is_list) continue;
      const Json value = key.get(recipe);
      Recipe copy = recipe;
      key.set(copy, value.is_string() ? value.get<std::string>() : value.dump());
      EXPECT_EQ(copy, recipe) << name << ", " << key.name;
    }
  }
}

TEST(RecipeKeys, ListTheMethodsThatExist) {
  // The row of a method key is written out by hand: it must not fall behind the variants.
  for (const std::string& clip : clip_names()) {
    EXPECT_THAT(std::string(find_recipe_key("weight_clip")->values), HasSubstr(clip));
  }
  for (const std::string& rounding : rounding_names()) {
    EXPECT_THAT(std::string(find_recipe_key("rounding")->values), HasSubstr(rounding));
  }
}

TEST(SetOption, TakesDashesForUnderscores) {
  Recipe recipe;
  set_option(recipe, "weight-bits", "4");
  set_option(recipe, "act_bits", "float");
  set_option(recipe, "fold-batchnorm", "off");
  set_option(recipe, "weight-clip", "percentile:99.9");
  EXPECT_EQ(recipe.weight_bits, 4);
  EXPECT_EQ(recipe.act_bits, std::nullopt);
  EXPECT_FALSE(recipe.fold_batchnorm);
  EXPECT_EQ(recipe.weight_clip, Clip{PercentileClip{.percent = 99.9}});
}

TEST(SetOption, LeavesOneOfTheTwoThatDecideAboutCopies) {
  Recipe recipe = built_in_recipe("best");
  set_option(recipe, "expand-ratio", "0");
  EXPECT_EQ(recipe.mac_budget, 0.0);  // no copies at all
  set_option(recipe, "mac-budget", "0.02");
  set_option(recipe, "byte-budget", "0");
  EXPECT_EQ(recipe.mac_budget, 0.02);
  set_option(recipe, "expand-ratio", "0.05");
  EXPECT_EQ(recipe.mac_budget, 0.0);
  set_option(recipe, "mac-budget", "0.1");
  EXPECT_EQ(recipe.expand_ratio, 0.0);
}

TEST(SetOption, AddsToLists) {
  Recipe recipe;
  set_option(recipe, "keep_float", "first");
  set_option(recipe, "keep_float", "fc*");
  EXPECT_THAT(recipe.keep_float, testing::ElementsAre("first", "fc*"));
}

TEST(SetOption, NamesTheKeyAndTheText) {
  const auto setting = [](const char* key, const char* text) {
    return [=] {
      Recipe recipe;
      set_option(recipe, key, text);
    };
  };
  EXPECT_THAT(setting("weight_bits", "four"),
              ThrowsMessage<Error>("weight_bits: 'four' is not a whole number"));
  EXPECT_THAT(setting("weight_bits", ""),
              ThrowsMessage<Error>("weight_bits: '' is not a whole number"));
  EXPECT_THAT(setting("weight_bits", "4 "),
              ThrowsMessage<Error>("weight_bits: '4 ' is not a whole number"));
  EXPECT_THAT(setting("weight_bits", "99999999999"),
              ThrowsMessage<Error>("weight_bits: '99999999999' is out of range"));
  EXPECT_THAT(setting("expand_ratio", "inf"),
              ThrowsMessage<Error>("expand_ratio: 'inf' is not a finite number"));
  EXPECT_THAT(setting("expand_ratio", "5%"),
              ThrowsMessage<Error>("expand_ratio: '5%' is not a number"));
  EXPECT_THAT(setting("expand-rate", "1"),
              ThrowsMessage<Error>("unknown key 'expand-rate' (did you mean 'expand_ratio'?)"));
  EXPECT_THAT(setting("weight_clip", "mes"), ThrowsMessage<Error>(HasSubstr("weight_clip: ")));
}

TEST(ParseOverride, FindsItsPartsBehindColonsAndEqualSignsOfANodeName) {
  const Override parsed = parse_override("scope=1/conv:0:weight_clip=percentile:99.9");
  EXPECT_EQ(parsed.pattern, "scope=1/conv:0");
  EXPECT_EQ(parsed.key, "weight_clip");
  EXPECT_EQ(parsed.value, "percentile:99.9");
  EXPECT_EQ(to_string(parsed), "scope=1/conv:0:weight_clip=percentile:99.9");
}

TEST(ParseOverride, RefusesAMissingPart) {
  for (const char* text : {"conv1", "conv1:weight_bits", "weight_bits=4", ":weight_bits=4",
                           "conv1:=4", "conv1:weight_bits="}) {
    EXPECT_THAT([&] { (void)parse_override(text); },
                ThrowsMessage<Error>(HasSubstr("is not PATTERN:key=value")))
        << text;
  }
}

}  // namespace
}  // namespace ocs
