#include "cli/methods_markdown.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "ocs/clip/clip.h"
#include "ocs/core/methods.h"
#include "ocs/recipe/recipe.h"
#include "ocs/recipe/recipe_keys.h"
#include "ocs/round/round.h"

namespace ocs::cli {
namespace {

// A '|' would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string code(std::string_view text) { return text.empty() ? "" : fmt::format("`{}`", text); }

std::string key_table() {
  std::string text = "| key | values | per node | what it does |\n|---|---|---|---|\n";
  for (const RecipeKey& key : recipe_keys()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", key.name, cell(key.values),
                        key.per_node ? "yes" : "", cell(key.help));
  }
  return text;
}

// What a recipe file would say, without quotes.
std::string value_text(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return value.empty() ? "" : value.dump();
  return value.dump();
}

std::string recipe_table() {
  const std::vector<std::string> names = built_in_recipe_names();
  std::string text = "| key |";
  std::string rule = "|---|";
  for (const std::string& name : names) {
    text += fmt::format(" {} |", code(name));
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const RecipeKey& key : recipe_keys()) {
    text += fmt::format("| `{}` |", key.name);
    for (const std::string& name : names)
      text += fmt::format(" {} |", cell(value_text(key.get(built_in_recipe(name)))));
    text += "\n";
  }
  return text;
}

std::string method_table(const std::vector<MethodText>& methods) {
  std::string text = "| method | options | what it does |\n|---|---|---|\n";
  for (const MethodText& method : methods) {
    std::string options;
    for (const OptionText& option : method.options) {
      options += fmt::format("{}{}: {}", options.empty() ? "" : "; ", code(option.name),
                             cell(option.help));
    }
    text += fmt::format("| `{}` | {} | {} |\n", method.name, options, cell(method.help));
  }
  return text;
}

}  // namespace

std::string methods_markdown() {
  return "### Keys\n\n" + key_table() + "\n### Built-in recipes\n\n" + recipe_table() +
         "\n### Clip methods\n\n" + method_table(describe_methods<Clip>()) +
         "\n### Rounding methods\n\n" + method_table(describe_methods<Rounding>());
}

}  // namespace ocs::cli
