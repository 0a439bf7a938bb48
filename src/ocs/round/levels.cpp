#include "ocs/round/levels.h"

namespace ocs {

Levels::Levels(const RoundProblem& problem)
    : problem_(problem), scale_index_(problem.weight, problem.scales.size(), problem.block) {
  const bool cut_from_whole =
      problem.kind == SplitKind::quantization_aware && problem.parts == SplitParts::equal;
  const auto columns = static_cast<std::size_t>(problem.weight.columns());
  for (std::size_t column = 0; column < columns; ++column) {
    const std::int64_t copies = copies_of(column);
    const std::int64_t limit = std::min<std::int64_t>(copies * problem.highest, largest_stored);
    limits_.push_back(copies == 1 || cut_from_whole ? static_cast<float>(limit) : in_parts);
  }
}

std::int16_t Levels::sum_of_parts(float real, float scale, std::size_t column) const {
  const std::int32_t sum =
      rounded_sum(real, scale, problem_.highest, copies_of(column), problem_.kind, problem_.parts);
  return static_cast<std::int16_t>(std::clamp(sum, -largest_stored, largest_stored));
}

}  // namespace ocs
