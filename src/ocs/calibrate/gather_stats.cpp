#include "ocs/calibrate/gather_stats.h"

#include <algorithm>
#include <string>
#include <vector>

#include "ocs/calibrate/stats_json.h"
#include "ocs/core/error.h"

namespace ocs {

std::optional<CalibrationStats> collect_together(
    const Team& team, const Samples& samples,
    const std::function<CalibrationStats(const Samples& part)>& collect) {
  std::optional<CalibrationStats> whole;
  // Of few samples some members get none.
  const std::size_t parts = std::clamp<std::size_t>(samples.count, 1, team.size);
  if (team.rank < parts)
    whole = collect(part_of(samples, {.index = team.rank + 1, .count = parts}));
  if (team.alone()) return whole;
  // Rank 0 keeps its own as it is.
  const std::vector<std::string> texts =
      team.gather(whole && team.rank > 0 ? to_json(*whole).dump() : "");
  if (team.rank > 0) return std::nullopt;
  for (std::size_t rank = 1; rank < parts; ++rank) {
    const std::string name = "rank " + std::to_string(rank);
    const CalibrationStats part = stats_from_json(parse_json(texts.at(rank), name), name);
    while_doing(name, [&] { merge(*whole, part); });
  }
  return whole;
}

}  // namespace ocs
