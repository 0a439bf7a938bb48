// The statistics as a readable file (docs/statistics.md): what --save-stats writes and --load-stats
// and `ocs merge` read.
#pragma once

#include <filesystem>

#include "ocs/calibrate/stats.h"
#include "ocs/core/json.h"

namespace ocs {

[[nodiscard]] Json to_json(const CalibrationStats& stats);
// Exactly what was written. Throws Error(bad_input) naming the field that is missing, broken or
// unknown.
[[nodiscard]] CalibrationStats stats_from_json(const Json& json, const std::string& name);
// One tensor a line; whole or not at all. Throws Error(bad_input) naming the file.
void write_stats(const CalibrationStats& stats, const std::filesystem::path& file);
[[nodiscard]] CalibrationStats read_stats(const std::filesystem::path& file);

}  // namespace ocs
