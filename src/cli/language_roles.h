#pragma once

#include <optional>

#include "ocs/evaluate/language_model.h"
#include "ocs/graph/model.h"

namespace ocs::cli {

// What the model's metadata `ocs.language`, else the file MODEL.language.json beside it, says of its inputs and outputs; nothing where
// there is neither. Throws Error(bad_input) naming the file.
[[nodiscard]] std::optional<LanguageModel> language_roles_of(const Model& model);

}  // namespace ocs::cli
