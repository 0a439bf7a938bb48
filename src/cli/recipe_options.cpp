#include "cli/recipe_options.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/options.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/recipe/recipe_keys.h"

namespace ocs::cli {
namespace {

// Help shows a short word; what it may be follows in the text.
std::string metavar_of(const RecipeKey& key) {
  if (key.is_flag) return "on|off";
  const bool is_one_word = key.values.find(' ') == std::string_view::npos;
  const bool is_a_name =
      std::ranges::all_of(key.values, [](char c) { return c >= 'a' && c <= 'z'; });
  if (is_one_word && !is_a_name) return std::string(key.values);
  return key.values.find("..") == std::string_view::npos ? "WORD" : "N";
}

std::string help_of(const RecipeKey& key) {
  const std::string value = metavar_of(key);
  return value == key.values || key.is_flag ? std::string(key.help)
                                            : fmt::format("{} ({})", key.help, key.values);
}

void add_key(CLI::App& app, const RecipeKey& key, RecipeArguments& arguments) {
  const auto set = [&arguments, name = std::string(key.name)](const std::string& text) {
    arguments.settings.emplace_back(name, text);
  };
  CLI::Option* option =
      key.is_list ? add_list(app, option_name(key.name), metavar_of(key),
                             help_of(key) + "; repeatable", set)
                  : add_text(app, option_name(key.name), metavar_of(key), help_of(key), set);
  option->group("Recipe keys");
}

}  // namespace

std::string option_name(std::string_view key) {
  std::string name = "--" + std::string(key);
  std::ranges::replace(name, '_', '-');
  return name;
}

void add_recipe_options(CLI::App& app, RecipeArguments& arguments) {
  add_text(app, "--recipe", "NAME|FILE",
           fmt::format("where to start from: {} or FILE.json (default: int8)",
                       fmt::join(built_in_recipe_names(), ", ")),
           arguments.recipe)
      ->group("Recipe keys");
  for (const RecipeKey& key : recipe_keys()) add_key(app, key, arguments);
}

Recipe recipe_of(const RecipeArguments& arguments) {
  Recipe recipe = while_doing("--recipe", [&] { return read_recipe(arguments.recipe); });
  for (const auto& [key, text] : arguments.settings) {
    // set_option names the key; the user wrote an option.
    const RecipeKey* row = find_recipe_key(key);
    while_doing(option_name(key), [&] { row->set(recipe, text); });
  }
  check(recipe);
  return recipe;
}

}  // namespace ocs::cli
