#include "ocs/recipe/recipe_json.h"

#include <algorithm>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/recipe/recipe_keys.h"

namespace ocs {
namespace {

// A value of a recipe file as the text that the command line takes.
std::string text_of(const RecipeKey& key, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (key.is_flag && value.is_boolean()) return value.get<bool>() ? "on" : "off";
  if (value.is_number()) return value.dump();
  throw_bad_input(
      fmt::format("has a value of the wrong type: {}; it takes {}", value.dump(), key.values));
}

void set_from_json(Recipe& recipe, const RecipeKey& key, const Json& value) {
  while_doing(std::string(key.name), [&] {
    if (!key.is_list) {
      set_key(recipe, key, text_of(key, value));
      return;
    }
    if (!value.is_array())
      throw_bad_input(
          fmt::format("has a value of the wrong type: {}; it takes a list", value.dump()));
    key.clear(recipe);  // of those of its base
    for (const Json& element : value) key.set(recipe, text_of(key, element));
  });
}

Recipe base_of(const Json& json) {
  if (json.contains("base")) return built_in_recipe(value_or<std::string>(json, "base", ""));
  const std::vector<std::string> names = built_in_recipe_names();
  const std::string name = value_or<std::string>(json, "name", "");
  return built_in_recipe(std::ranges::find(names, name) != names.end() ? name : "int8");
}

}  // namespace

Json to_json(const Recipe& recipe) {
  Json json = Json::object();
  json["name"] = recipe.name;
  for (const RecipeKey& key : recipe_keys()) json[std::string(key.name)] = key.get(recipe);
  return json;
}

Recipe recipe_from_json(const Json& json, const std::string& name) {
  return while_doing(name, [&] {
    std::vector<std::string> known = recipe_key_names();
    known.insert(known.begin(), {"name", "base"});
    refuse_unknown_keys(json, known);
    Recipe recipe = base_of(json);
    recipe.name = value_or<std::string>(json, "name", recipe.name);
    for (const RecipeKey& key : recipe_keys()) {
      if (const auto found = json.find(std::string(key.name)); found != json.end())
        set_from_json(recipe, key, *found);
    }
    check(recipe);
    return recipe;
  });
}

Recipe read_recipe(std::string_view name_or_file) {
  if (!name_or_file.ends_with(".json")) {
    const std::vector<std::string> names = built_in_recipe_names();
    if (std::ranges::find(names, name_or_file) == names.end()) {
      throw_bad_input(fmt::format("no recipe named '{}'{}; a file of your own must end in .json",
                                  name_or_file, did_you_mean_any(name_or_file, names)));
    }
    return built_in_recipe(name_or_file);
  }
  const std::filesystem::path file(name_or_file);
  return recipe_from_json(read_json(file), file.string());
}

void set_option(Recipe& recipe, std::string_view key, std::string_view value) {
  const RecipeKey* found = find_recipe_key(key);
  if (found == nullptr)
    throw_bad_input(fmt::format("unknown key '{}'{}", key, did_you_mean(key, recipe_key_names())));
  while_doing(found->name, [&] { set_key(recipe, *found, value); });
}

}  // namespace ocs
