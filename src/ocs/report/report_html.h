#pragma once

#include <string>

#include "ocs/report/report.h"

namespace ocs {

// One self-contained page (no script, style or picture from elsewhere): summary, a table of the
// layers that sorts by any column, bars of their signal-to-noise, why layers are float, notes, the
// recipe. Holds no data of the samples. All text is escaped.
[[nodiscard]] std::string to_html(const Report& report);

}  // namespace ocs
