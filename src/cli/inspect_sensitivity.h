// The part of `ocs inspect` that needs data: what each layer's quantization does to the outputs.
#pragma once

#include <string>

#include "ocs/core/json.h"
#include "ocs/pipeline/sensitivity.h"

namespace ocs::cli {

// {"samples", "together", "layers"}: layers worst first; figures that are not there are null.
[[nodiscard]] Json sensitivity_json(const Sensitivity& sensitivity);

// A table, worst layer first; a sentence where the recipe quantizes none.
[[nodiscard]] std::string sensitivity_text(const Sensitivity& sensitivity);

}  // namespace ocs::cli
