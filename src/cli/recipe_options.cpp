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

void add_key(CLI::App& app, const RecipeKey& key, const std::string& group,
             RecipeArguments& arguments) {
  const auto set = [&arguments, name = std::string(key.name)](const std::string& text) {
    arguments.settings.emplace_back(name, text);
  };
  CLI::Option* option =
      key.is_list ? add_list(app, option_name(key.name), metavar_of(key),
                             help_of(key) + "; repeatable", set)
                  : add_text(app, option_name(key.name), metavar_of(key), help_of(key), set);
  option->group(group);
}

// A container, and how many weights share a scale.
void add_weight_format(const std::string& text, RecipeArguments& arguments) {
  const auto add = [&](const std::string& bits, const std::string& granularity,
                       const std::string& storage) {
    arguments.settings.emplace_back("weight_bits", bits);
    arguments.settings.emplace_back("weight_granularity", granularity);
    arguments.settings.emplace_back("weight_storage", storage);
  };
  const std::string_view words = text;
  if (words == "int8") return add("8", "channel", "int8");
  for (const std::string_view bits : {"4", "2"}) {
    const std::string prefix = fmt::format("int{}-block:", bits);
    if (words.starts_with(prefix))
      return add(std::string(bits), fmt::format("block:{}", words.substr(prefix.size())), "packed");
  }
  throw_bad_input(
      fmt::format("--weight-format: '{}' is none of int8, int4-block:K, int2-block:K", text));
}

}  // namespace

std::string option_name(std::string_view key) {
  std::string name = "--" + std::string(key);
  std::ranges::replace(name, '_', '-');
  return name;
}

void add_recipe_options(CLI::App& app, RecipeArguments& arguments, const std::string& group) {
  add_text(app, "--recipe", "NAME|FILE",
           fmt::format("where to start from: {} or FILE.json (default: int8)",
                       fmt::join(built_in_recipe_names(), ", ")),
           arguments.recipe)
      ->group(group);
  for (const RecipeKey& key : recipe_keys()) add_key(app, key, group, arguments);
  add_text(app, "--weight-format", "WORD",
           "int8, int4-block:K or int2-block:K: short for --weight-bits, --weight-granularity and "
           "--weight-storage",
           [&arguments](const std::string& text) { add_weight_format(text, arguments); })
      ->group(group);
}

Recipe recipe_of(const RecipeArguments& arguments) {
  Recipe recipe = while_doing("--recipe", [&] { return read_recipe(arguments.recipe); });
  // In the order of the table, whatever that of the command line (CLI11): a budget holds beside an expand ratio of 0.
  for (const auto& [key, text] : arguments.settings) {
    // set_option names the key; the user wrote an option.
    const RecipeKey* row = find_recipe_key(key);
    while_doing(option_name(key), [&] { set_key(recipe, *row, text); });
  }
  check(recipe);
  return recipe;
}

}  // namespace ocs::cli
