// Statistics that the members of a team collected, as one.
#pragma once

#include <functional>
#include <optional>

#include "ocs/calibrate/stats.h"
#include "ocs/core/samples.h"
#include "ocs/core/shard.h"
#include "ocs/core/team.h"

namespace ocs {

// Calls `collect` with this member's part of the samples, where it gets any, and merges what all
// members collected. The whole at rank 0, to the bit what one process would collect; nothing at the
// others. Throws what collecting and merging throw, naming the rank.
[[nodiscard]] std::optional<CalibrationStats> collect_together(
    const Team& team, const Samples& samples,
    const std::function<CalibrationStats(const Samples& part)>& collect);

}  // namespace ocs
