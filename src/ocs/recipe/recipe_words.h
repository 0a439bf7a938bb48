// The words that choices of a recipe are written with. Used inside recipe/ only.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/core/json.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

template <typename Value, std::size_t count>
using Words = std::array<std::pair<std::string_view, Value>, count>;

inline constexpr Words<WeightStorage, 3> weight_storages{{{"int8", WeightStorage::int8},
                                                          {"packed", WeightStorage::packed},
                                                          {"auto", WeightStorage::automatic}}};
inline constexpr Words<ActRange, 2> act_ranges{
    {{"symmetric", ActRange::symmetric}, {"asymmetric", ActRange::asymmetric}}};
inline constexpr Words<ActScope, 2> act_scopes{
    {{"inputs", ActScope::inputs}, {"regions", ActScope::regions}}};
inline constexpr Words<ActScales, 2> act_scales{
    {{"static", ActScales::calibrated}, {"dynamic", ActScales::dynamic}}};
inline constexpr Words<ActSplit, 3> act_splits{{{"halving", ActSplit::halving},
                                                {"saturating", ActSplit::saturating},
                                                {"oracle", ActSplit::oracle}}};
inline constexpr Words<SplitKind, 2> split_kinds{
    {{"qa", SplitKind::quantization_aware}, {"naive", SplitKind::naive}}};
inline constexpr Words<SplitParts, 2> split_parts{
    {{"equal", SplitParts::equal}, {"halving", SplitParts::halving}}};
inline constexpr Words<RecurrentForm, 2> recurrent_forms{
    {{"dequantize", RecurrentForm::dequantize}, {"dynamic", RecurrentForm::dynamic}}};
inline constexpr Words<SplitForm, 5> split_forms{{{"gather", SplitForm::gather},
                                                  {"slice", SplitForm::slice},
                                                  {"fold", SplitForm::fold},
                                                  {"virtual", SplitForm::virtual_},
                                                  {"auto", SplitForm::automatic}}};

template <typename Value, std::size_t count>
Value parse_word(const Words<Value, count>& words, std::string_view text) {
  std::vector<std::string> known;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    known.emplace_back(word);
  }
  throw_bad_input(
      fmt::format("'{}' is none of {}{}", text, fmt::join(known, ", "), did_you_mean(text, known)));
}

template <typename Value, std::size_t count>
Json print_word(const Words<Value, count>& words, Value value) {
  for (const auto& [word, held] : words) {
    if (held == value) return std::string(word);
  }
  throw_internal("a recipe holds a value without a word");
}

}  // namespace ocs
