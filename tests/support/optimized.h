// The graph that the engine makes of a model.
#pragma once

#include <map>
#include <string>

#include "ocs/graph/model.h"

namespace ocs {

// Written to a file of its own and read again, weights and all. `config`: of the session.
[[nodiscard]] Model optimized_by_engine(const Model& model,
                                        const std::map<std::string, std::string>& config = {});

}  // namespace ocs
