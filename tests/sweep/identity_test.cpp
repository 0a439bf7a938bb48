#include "ocs/sweep/identity.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "ocs/core/sha256.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/recipe/recipe_keys.h"
#include "support/folder.h"

namespace ocs {
namespace {

TEST(PathHash, KnowsNamesAndContents) {
  const TestFolder folder;
  std::filesystem::create_directory(folder / "a");
  write_bytes(folder / "a/x", "1");
  write_bytes(folder / "a/y", "2");
  EXPECT_EQ(sha256_of_path(folder / "a/x"), sha256("1"));
  EXPECT_EQ(sha256_of_path(""), "");
  const std::string before = sha256_of_path(folder / "a");
  std::filesystem::rename(folder / "a", folder / "b");
  EXPECT_EQ(sha256_of_path(folder / "b"), before);
  write_bytes(folder / "b/y", "3");
  const std::string other = sha256_of_path(folder / "b");
  EXPECT_NE(other, before);
  std::filesystem::rename(folder / "b/y", folder / "b/z");
  EXPECT_NE(sha256_of_path(folder / "b"), other);
}

TEST(PointKey, KnowsRecipeCutAndData) {
  Recipe recipe;
  const std::string key = point_key(&recipe, {}, "d");
  recipe.name = "mine";
  EXPECT_EQ(point_key(&recipe, {}, "d"), key);
  EXPECT_NE(point_key(nullptr, {}, "d"), key);
  EXPECT_NE(point_key(&recipe, {.count = 1}, "d"), key);
  EXPECT_NE(point_key(&recipe, {.batch = 1}, "d"), key);
  EXPECT_NE(point_key(&recipe, {.window = 1}, "d"), key);
  EXPECT_NE(point_key(&recipe, {}, "e"), key);
  recipe.weight_bits = 4;
  EXPECT_NE(point_key(&recipe, {}, "d"), key);
  EXPECT_EQ(changed_keys(recipe), (Json{{"weight_bits", 4}}));
}

// Keys at their default too: were they left out, points of a program with another default would pass
// for ours.
TEST(PointKey, HoldsEveryKeyInFull) {
  const Recipe recipe = built_in_recipe("paper");
  Json settings = Json::object();
  for (const RecipeKey& key : recipe_keys()) settings[std::string(key.name)] = key.get(recipe);
  ASSERT_TRUE(settings.contains("act_split"));
  Json identity{
      {"recipe", settings}, {"cut", {{"count", 0}, {"batch", 0}, {"window", 0}}}, {"data", "d"}};
  EXPECT_EQ(point_key(&recipe, {}, "d"), sha256(identity.dump()));
  identity["recipe"].erase("act_split");
  EXPECT_NE(point_key(&recipe, {}, "d"), sha256(identity.dump()));
}

// What quantize() gives calibration: the prepared model and the number of samples.
TEST(CalibrationPart, KeepsWhatCalibrationDependsOn) {
  Recipe recipe = built_in_recipe("paper");
  recipe.calib_count = 7;
  recipe.expand_ratio = 0.5;
  recipe.overrides = {{.pattern = "last", .key = "act_bits", .value = "4"}};
  const Recipe expected{.fold_batchnorm = false, .calib_count = 7};
  EXPECT_EQ(calibration_part(recipe), expected);
}

// An early end depends on the ranges.
TEST(CalibrationPart, KeepsWhatAnEarlyEndDependsOn) {
  Recipe recipe = built_in_recipe("paper");
  recipe.calib_settle = 0.01;
  recipe.act_bits = 5;
  const Recipe expected{.act_bits = 5,
                        .act_range = recipe.act_range,
                        .act_clip = recipe.act_clip,
                        .fold_batchnorm = recipe.fold_batchnorm,
                        .calib_settle = 0.01};
  EXPECT_EQ(calibration_part(recipe), expected);
}

}  // namespace
}  // namespace ocs
