// Patterns on node names.
#pragma once

#include <string_view>

namespace ocs {

// Whether `text` as a whole fits `pattern`: `*` stands for any run of characters ('/' too), `?` for
// one, `[a-z]` and `[!a-z]` for one of a set, a backslash takes the next character as it is. A '['
// without its ']' stands for itself. Plain bytes, no locale.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace ocs
