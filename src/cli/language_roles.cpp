#include "cli/language_roles.h"

#include <string>

#include "ocs/core/error.h"

namespace ocs::cli {

std::optional<LanguageModel> language_roles_of(const Model& model) {
  const std::string metadata = model.metadata("ocs.language");
  if (metadata.empty()) return find_language_sidecar(model.file());
  return while_doing(model.file().string() + ", metadata ocs.language",
                     [&] { return language_model_from_json(parse_json(metadata, "its text")); });
}

}  // namespace ocs::cli
