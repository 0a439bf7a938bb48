#include "cli/model_metadata.h"

#include "cli/language_roles.h"

namespace ocs::cli {

std::map<std::string, std::string> input_metadata(const DataArguments& data, const Model& input) {
  std::map<std::string, std::string> metadata;
  if (const auto preprocess = preprocess_for(data, {&input}))
    metadata["ocs.preprocess"] = to_json(*preprocess).dump();
  if (const auto roles = language_roles_of(input))
    metadata["ocs.language"] = to_json(*roles).dump();
  return metadata;
}

}  // namespace ocs::cli
