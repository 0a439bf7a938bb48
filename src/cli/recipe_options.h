// Recipe keys as options: --recipe first, then every key that is given, whatever the order on the command line.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "ocs/recipe/recipe.h"

namespace ocs::cli {

struct RecipeArguments {
  std::string recipe = "int8";
  std::vector<std::pair<std::string, std::string>> settings{};  // key and text, as given
};

// "--weight-bits" for weight_bits.
[[nodiscard]] std::string option_name(std::string_view key);

// --recipe and one option for each key of the table, dashes for underscores.
void add_recipe_options(CLI::App& app, RecipeArguments& arguments,
                        const std::string& group = "Recipe keys");

// Reads, sets and checks. Throws Error(bad_input) naming option or file.
[[nodiscard]] Recipe recipe_of(const RecipeArguments& arguments);

}  // namespace ocs::cli
