// How the text of a key gets into a recipe, and back out of it. Used by recipe_keys.cpp alone.
#pragma once

#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/json.h"
#include "ocs/core/parse_number.h"
#include "ocs/recipe/recipe.h"
#include "ocs/recipe/recipe_keys.h"
#include "ocs/recipe/recipe_words.h"

namespace ocs {

inline bool parse_flag(std::string_view text) {
  if (text == "on" || text == "true") return true;
  if (text == "off" || text == "false") return false;
  throw_bad_input(fmt::format("'{}' is neither on nor off", text));
}

// Rows are told apart by their member; a list, a word and a number differ only in how text becomes
// a value.
template <auto member>
inline constexpr auto set_number = [](Recipe& recipe, std::string_view text) {
  recipe.*member = parse_number<std::remove_cvref_t<decltype(recipe.*member)>>(text);
};
template <auto member>
inline constexpr auto get_plain = [](const Recipe& recipe) { return Json(recipe.*member); };
template <auto member>
inline constexpr auto set_flag =
    [](Recipe& recipe, std::string_view text) { recipe.*member = parse_flag(text); };
template <auto member, const auto& words>
inline constexpr auto set_word =
    [](Recipe& recipe, std::string_view text) { recipe.*member = parse_word(words, text); };
template <auto member, const auto& words>
inline constexpr auto get_word =
    [](const Recipe& recipe) { return print_word(words, recipe.*member); };
template <auto member>
inline constexpr auto set_clip =
    [](Recipe& recipe, std::string_view text) { recipe.*member = parse_clip(text); };
template <auto member>
inline constexpr auto get_method =
    [](const Recipe& recipe) { return Json(to_string(recipe.*member)); };

inline void set_act_bits(Recipe& recipe, std::string_view text) {
  if (text == "float") {
    recipe.act_bits.reset();
  } else {
    recipe.act_bits = parse_number<int>(text);
  }
}

// One number decides about copies: to set one is to leave the others.
template <double Recipe::*member>
inline constexpr auto set_copies = [](Recipe& recipe, std::string_view text) {
  const auto value = parse_number<double>(text);
  if (value > 0.0) clear_copies(recipe);
  recipe.*member = value;
};

// "block:K" is a granularity with a number.
inline void set_granularity(Recipe& recipe, std::string_view text) {
  constexpr std::string_view block = "block:";
  recipe.weight_block = 0;
  if (text == "tensor") {
    recipe.weight_granularity = Granularity::tensor;
  } else if (text == "channel") {
    recipe.weight_granularity = Granularity::channel;
  } else if (text.starts_with(block)) {
    recipe.weight_granularity = Granularity::block;
    recipe.weight_block = parse_number<int>(text.substr(block.size()));
  } else {
    throw_bad_input(fmt::format("'{}' is none of tensor, channel, block:K", text));
  }
}

inline Json get_granularity(const Recipe& recipe) {
  if (recipe.weight_granularity == Granularity::block)
    return fmt::format("block:{}", recipe.weight_block);
  return recipe.weight_granularity == Granularity::tensor ? "tensor" : "channel";
}

inline Json get_act_bits(const Recipe& recipe) {
  return recipe.act_bits ? Json(*recipe.act_bits) : Json("float");
}

inline void set_budget_samples(Recipe& recipe, std::string_view text) {
  recipe.budget_samples.reset();
  if (text != "auto") recipe.budget_samples = parse_number<std::size_t>(text);
}

inline Json get_budget_samples(const Recipe& recipe) {
  return recipe.budget_samples ? Json(*recipe.budget_samples) : Json("auto");
}

inline Json get_overrides(const Recipe& recipe) {
  Json list = Json::array();
  for (const Override& entry : recipe.overrides) list.push_back(to_string(entry));
  return list;
}

inline constexpr std::string_view clip_values =
    "max | mse | mse-hist | aciq | aciq:std | kl | percentile:P | ratio:T";

}  // namespace ocs
