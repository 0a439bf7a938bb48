// Recipes as JSON: unknown keys refused, every key optional (the default recipe's value stands), fixed order when written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ocs/core/json.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

[[nodiscard]] Json to_json(const Recipe& recipe);
[[nodiscard]] Recipe recipe_from_json(const Json& json, const std::string& name);
// A built-in name, or a file that ends in .json.
[[nodiscard]] Recipe read_recipe(std::string_view name_or_file);
// Sets one key from its command-line text ("weight_bits", "4"); dashes and underscores are the same. Used by options and overrides.
void set_option(Recipe& recipe, std::string_view key, std::string_view value);

}  // namespace ocs
