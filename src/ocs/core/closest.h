// Suggestions for mistyped names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ocs {

// " (did you mean 'x'?)" for the name of `known` that is closest to `word` by edit distance, "" where none is near.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& known);

// The same; where none is near, "; known: a, b, c": for names of which there are few.
[[nodiscard]] std::string did_you_mean_any(std::string_view word,
                                           const std::vector<std::string>& known);

}  // namespace ocs
