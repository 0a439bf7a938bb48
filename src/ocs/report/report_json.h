#pragma once

#include "ocs/core/json.h"
#include "ocs/report/relative_cost.h"
#include "ocs/report/report.h"

namespace ocs {

// The answer of `ocs quantize --json` and the content of report.json (docs/report.md). What was not
// measured is null.
[[nodiscard]] Json to_json(const Report& report);

// {"weights", "activations", "macs"}.
[[nodiscard]] Json to_json(const RelativeCost& cost);

}  // namespace ocs
