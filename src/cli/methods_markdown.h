#pragma once

#include <string>

namespace ocs::cli {

// The tables of docs/recipe.md: keys, built-in recipes, clip and rounding methods. A test holds the
// page to this text.
[[nodiscard]] std::string methods_markdown();

}  // namespace ocs::cli
