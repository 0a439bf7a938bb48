// Numbers as a user writes them: the whole text or an error.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {

// "8", "-1" or "0.05" as Number; no blanks, no sign '+', no locale. Throws Error(bad_input) with
// the text for anything else, for what Number does not hold, and for infinity and NaN.
template <typename Number>
  requires std::integral<Number> || std::floating_point<Number>
[[nodiscard]] Number parse_number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stopped, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc::result_out_of_range)
    throw_bad_input(fmt::format("'{}' is out of range", text));
  if (code != std::errc{} || stopped != end) {
    throw_bad_input(
        fmt::format("'{}' is not a {}", text, std::integral<Number> ? "whole number" : "number"));
  }
  if constexpr (std::floating_point<Number>) {
    if (!std::isfinite(value)) throw_bad_input(fmt::format("'{}' is not a finite number", text));
  }
  return value;
}

}  // namespace ocs
