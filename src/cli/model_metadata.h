// What a written model says about its inputs, so that evaluate and compare need no option.
#pragma once

#include <map>
#include <string>

#include "cli/data_options.h"
#include "ocs/graph/model.h"

namespace ocs::cli {

// Metadata by key: how samples become inputs, and which ports of a language model are which; of what is known of `input`, the float model.
[[nodiscard]] std::map<std::string, std::string> input_metadata(const DataArguments& data,
                                                                const Model& input);

}  // namespace ocs::cli
