// The table of recipe keys, one row a key: what recipe files, command-line options, --print-recipe
// and docs/recipe.md are made from.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/core/json.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

struct RecipeKey {
  std::string_view name{};    // as in a recipe file: weight_bits
  std::string_view values{};  // what it takes, for help and docs: "2..8"
  std::string_view help{};
  bool is_list = false;                     // repeatable: every value is added
  bool is_flag = false;                     // on or off; true and false in a recipe file
  bool per_node = false;                    // may stand in an override
  void (*clear)(Recipe& recipe) = nullptr;  // of a list
  // Throws Error(bad_input) that says what is wrong with the text; the caller names the key.
  void (*set)(Recipe& recipe, std::string_view text) = nullptr;
  Json (*get)(const Recipe& recipe) = nullptr;
};

// In the order in which they are written. "name" and "base" of a recipe file are not settings and
// not among them.
// expand_ratio comes before the budgets: of a whole recipe these hold, whatever set_key makes of an expand ratio of 0.
[[nodiscard]] std::span<const RecipeKey> recipe_keys();
// key.set for who names this key: an expand ratio of 0 leaves out the copies of a budget too.
void set_key(Recipe& recipe, const RecipeKey& key, std::string_view text);
// nullptr for an unknown key; dashes and underscores are the same.
[[nodiscard]] const RecipeKey* find_recipe_key(std::string_view name);
[[nodiscard]] std::vector<std::string> recipe_key_names();
[[nodiscard]] std::vector<std::string> per_node_key_names();

// "PATTERN:key=value". Throws Error(bad_input) where a part is missing; key and value are left to
// check().
[[nodiscard]] Override parse_override(std::string_view text);
[[nodiscard]] std::string to_string(const Override& override_);

}  // namespace ocs
