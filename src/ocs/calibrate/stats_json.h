// The statistics as a readable file (docs/statistics.md): what --save-stats writes and --load-stats and `ocs merge` read.
#pragma once

#include <filesystem>

#include "ocs/calibrate/stats.h"
#include "ocs/core/json.h"

namespace ocs {

[[nodiscard]] Json to_json(const CalibrationStats& stats);
[[nodiscard]] CalibrationStats stats_from_json(const Json& json, const std::string& name);  // Error(bad_input) names the field
void write_stats(const CalibrationStats& stats, const std::filesystem::path& file);         // write, sync, rename
[[nodiscard]] CalibrationStats read_stats(const std::filesystem::path& file);

}  // namespace ocs
