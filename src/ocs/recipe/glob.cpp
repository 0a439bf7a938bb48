#include "ocs/recipe/glob.h"

#include <cstddef>
#include <optional>

namespace ocs {
namespace {

// What one element of a pattern made of one character.
struct Step {
  bool fits = false;
  std::size_t length = 1;  // of the element in the pattern
};

// The set that opens at pattern[0] == '[', nothing where its ']' is missing. A ']' right behind the
// opening stands for itself.
std::optional<Step> match_set(std::string_view pattern, char c) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size(); first = false) {
    if (pattern[at] == ']' && !first) return Step{.fits = found != negated, .length = at + 1};
    const char low = pattern[at];
    const bool range = at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']';
    const char high = range ? pattern[at + 2] : low;
    if (low <= c && c <= high) found = true;
    at += range ? 3 : 1;
  }
  return std::nullopt;
}

Step match_one(std::string_view pattern, char c) {
  if (pattern[0] == '?') return {.fits = true};
  if (pattern[0] == '[') {
    if (const auto set = match_set(pattern, c)) return *set;
  }
  if (pattern[0] == '\\' && pattern.size() > 1) return {.fits = pattern[1] == c, .length = 2};
  return {.fits = pattern[0] == c};
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  // On a mismatch only the last star seen takes one character more: linear memory, at most
  // |pattern| * |text| steps.
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<std::size_t> behind_star;
  std::size_t taken_up_to = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      behind_star = ++p;
      taken_up_to = t;
      continue;
    }
    const Step step = p < pattern.size() ? match_one(pattern.substr(p), text[t]) : Step{};
    if (step.fits) {
      p += step.length;
      ++t;
    } else if (behind_star) {
      p = *behind_star;
      t = ++taken_up_to;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace ocs
