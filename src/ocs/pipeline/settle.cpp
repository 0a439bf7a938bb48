#include "ocs/pipeline/settle.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "ocs/core/parallel.h"
#include "ocs/plan/plan_activations.h"

namespace ocs {

std::map<std::string, SettledRanges::Range> SettledRanges::ranges(
    const CalibrationStats& stats) const {
  std::vector<std::pair<const std::string*, const TensorStats*>> tensors;
  for (const auto& [name, tensor] : stats.tensors) tensors.emplace_back(&name, &tensor);
  std::vector<Range> found(tensors.size());
  const int bits = recipe_.act_bits.value_or(8);
  parallel_for(tensors.size(), [&](std::size_t i) {
    const ActivationPlan plan =
        plan_activation(*tensors[i].second, recipe_.act_clip, bits, recipe_.act_range, {});
    const auto scale = static_cast<double>(plan.params.scale[0]);
    const std::int32_t zero = plan.params.zero_point[0];
    found[i] = {.low = scale * (plan.level_low - zero), .high = scale * (plan.level_high - zero)};
  });
  std::map<std::string, Range> by_name;
  for (std::size_t i = 0; i < tensors.size(); ++i) by_name[*tensors[i].first] = found[i];
  return by_name;
}

bool SettledRanges::operator()(const CalibrationStats& so_far) {
  const std::map<std::string, Range> before = std::exchange(last_, ranges(so_far));
  if (before.empty()) return false;
  return std::ranges::all_of(last_, [&](const auto& now) {
    const Range& range = now.second;
    const Range& old = before.at(now.first);
    const double moved = std::max(std::abs(range.low - old.low), std::abs(range.high - old.high));
    return moved <= recipe_.calib_settle * (range.high - range.low);
  });
}

}  // namespace ocs
