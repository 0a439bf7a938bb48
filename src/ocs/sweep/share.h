// Which cells of a sweep one of several separate processes computes.
#pragma once

#include <string>
#include <vector>

#include "ocs/core/shard.h"
#include "ocs/sweep/spec.h"

namespace ocs {

struct SweepShare {
  bool reference = false;                  // the float model
  std::vector<std::vector<bool>> cells{};  // by row and column
};

// `keys`: of the results of the cells, by row and column; those of columns with best_of are not
// read. All shards of one count together have every cell. Cells with equal keys are in one shard.
// Where a column has a best_of, a row is in one shard as a whole, since its best is found there.
[[nodiscard]] SweepShare share_of(const SweepSpec& spec,
                                  const std::vector<std::vector<std::string>>& keys,
                                  const Shard& shard);

}  // namespace ocs
