#include "ocs/sweep/share.h"

#include <algorithm>
#include <cstddef>
#include <map>

namespace ocs {

SweepShare share_of(const SweepSpec& spec, const std::vector<std::vector<std::string>>& keys,
                    const Shard& shard) {
  const bool by_row = std::ranges::any_of(
      spec.columns, [](const SweepEntry& column) { return !column.best_of.empty(); });
  // Piece 0 is the float model, the others come in the order of the cells.
  SweepShare share{.reference = shard.holds(0)};
  std::map<std::string, std::size_t> piece_of;  // by key
  for (std::size_t row = 0; row < spec.rows.size(); ++row) {
    std::vector<bool>& cells = share.cells.emplace_back();
    for (std::size_t column = 0; column < spec.columns.size(); ++column) {
      const std::size_t piece =
          by_row ? row + 1
                 : piece_of.try_emplace(keys[row][column], piece_of.size() + 1).first->second;
      cells.push_back(shard.holds(piece));
    }
  }
  return share;
}

}  // namespace ocs
