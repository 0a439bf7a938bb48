#include "ocs/plan/hidden_units.h"

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {

std::vector<std::int64_t> repeat_units(std::int64_t extent, std::size_t hidden,
                                       const std::vector<std::int64_t>& units) {
  const auto block = static_cast<std::int64_t>(hidden);
  if (block == 0 || extent % block != 0)
    throw_internal(fmt::format("{} entries are no blocks of {} hidden units", extent, hidden));
  std::vector<std::int64_t> indices;
  indices.reserve(static_cast<std::size_t>(extent / block) * units.size());
  for (std::int64_t begin = 0; begin < extent; begin += block)
    for (const std::int64_t unit : units) indices.push_back(begin + unit);
  return indices;
}

}  // namespace ocs
