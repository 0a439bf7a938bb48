// What makes two computations the same: hashes of files, and of a point's recipe and data.
#pragma once

#include <filesystem>
#include <string>

#include "ocs/core/json.h"
#include "ocs/recipe/recipe.h"
#include "ocs/sweep/spec.h"

namespace ocs {

// SHA-256 of a file's content; of a folder the names (relative to it) and contents of all files
// below it, in the order of the names. "" for an empty path. Throws Error(bad_input) naming a file
// that cannot be read. A list of files is hashed as the text that it is.
[[nodiscard]] std::string sha256_of_path(const std::filesystem::path& path);

// The hash that names a result: of `recipe` (null: the float model), `cut` and `data`, which says
// what is calibrated and evaluated with. Every key of the recipe is in it, those at their default
// too: a default that changes, or a key that the tool learns, makes other points. Its name is not.
[[nodiscard]] std::string point_key(const Recipe* recipe, const EvaluationCut& cut,
                                    const Json& data);

// The keys of a recipe that differ from the default recipe, for readers.
[[nodiscard]] Json changed_keys(const Recipe& recipe);

// What tells the running program from others of its version: the beginning of the SHA-256 of its
// file; "" where the system does not show it.
[[nodiscard]] std::string running_build();

// The recipe with all keys at their default that have no influence on what calibration collects:
// equal for recipes that can share statistics.
[[nodiscard]] Recipe calibration_part(const Recipe& recipe);

}  // namespace ocs
