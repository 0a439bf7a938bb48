#include "cli/arguments.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/recipe/recipe_keys.h"

namespace ocs::cli {
namespace {

bool is_switch_value(std::string_view word) {
  return word == "on" || word == "off" || word == "true" || word == "false";
}

// The switch that a word like --name stands for; dashes as in the option.
std::optional<std::string> switch_named(std::string_view word) {
  if (!word.starts_with("--")) return std::nullopt;
  const RecipeKey* key = find_recipe_key(word.substr(2));
  if (key == nullptr || !key->is_flag) return std::nullopt;
  std::string name(key->name);
  std::ranges::replace(name, '_', '-');
  return name;
}

std::string unknown_words(const CLI::App& command) {
  const std::vector<std::string> extras = command.remaining(true);
  const auto option =
      std::ranges::find_if(extras, [](const std::string& word) { return word.starts_with("-"); });
  if (option == extras.end()) {
    return extras.empty() ? "a word too many"
                          : fmt::format("'{}' is one argument too many", extras.front());
  }
  const std::string word = option->substr(0, option->find('='));
  std::vector<std::string> known;
  for (const CLI::Option* each : command.get_options()) {
    for (const std::string& name : each->get_lnames()) known.push_back("--" + name);
  }
  return fmt::format("no option {}{}", word, did_you_mean(word, known));
}

}  // namespace

std::vector<std::string> with_switches_joined(const std::vector<std::string>& words) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      result.insert(result.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    if (const auto name = switch_named(words[i])) {
      const bool has_value = i + 1 < words.size() && is_switch_value(words[i + 1]);
      result.push_back(fmt::format("--{}={}", *name, has_value ? words[i + 1] : "on"));
      if (has_value) ++i;
    } else if (const auto denied = words[i].starts_with("--no-")
                                       ? switch_named("--" + words[i].substr(5))
                                       : std::nullopt) {
      result.push_back(fmt::format("--{}=off", *denied));
    } else {
      result.push_back(words[i]);
    }
  }
  return result;
}

bool asks_for_json(const std::vector<std::string>& words) {
  const auto end = std::ranges::find(words, "--");
  return std::find(words.begin(), end, "--json") != end;
}

std::string usage_message(const CLI::App& command, const CLI::ParseError& error) {
  const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  return fmt::format("{}: {}; see ocs {} --help", command.get_name(),
                     unknown ? unknown_words(command) : error.what(), command.get_name());
}

}  // namespace ocs::cli
