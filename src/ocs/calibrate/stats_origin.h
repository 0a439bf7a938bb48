// What statistics were collected from: so that parts that do not belong together, or overlap, are
// found out before they are added up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "ocs/core/json.h"
#include "ocs/core/shard.h"

namespace ocs {

// How much of one data set has been seen.
struct SeenData {
  std::int64_t samples = 0;      // of the whole set
  std::size_t shards = 1;        // that it was cut into
  std::set<std::size_t> held{};  // which of them were seen, from 1; {1} of 1: the whole set
  bool operator==(const SeenData&) const = default;
};

struct StatsOrigin {
  std::string model{};    // SHA-256 of the float model
  std::string version{};  // of ocs
  std::string build{};    // of ocs; tells builds of one version apart
  std::map<std::string, std::string>
      recipe{};  // keys that change what is collected, values as JSON: none now; older files have fold_batchnorm
  std::map<std::string, SeenData> data{};  // by what names a data set and how it is read
  bool operator==(const StatsOrigin&) const = default;
};

// Adds what `part` has seen; commutative and associative. A data set of which all shards were seen
// counts as one that was never cut. Throws Error(bad_input) saying what differs, for another model,
// version, build, recipe or number of shards, and for data that were seen before.
void merge(StatsOrigin& whole, const StatsOrigin& part);

// Throws Error(bad_input) naming the shards of a data set that were not seen.
void require_whole(const StatsOrigin& origin);

// Throws Error(bad_input) where statistics of `origin` do not hold for the model. They hold for any recipe; which version of ocs asks, and
// with which data, does not matter.
void require_fit(const StatsOrigin& origin, std::string_view model);

// Reading throws Error(bad_input) naming the key that is missing, unknown or of the wrong type.
[[nodiscard]] Json to_json(const StatsOrigin& origin);
[[nodiscard]] StatsOrigin origin_from_json(const Json& json);

}  // namespace ocs
