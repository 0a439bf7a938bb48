#include "support/slow_split.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace ocs {
namespace {

float max_abs(const PhysicalChannel& channel) {
  float largest = 0.0F;
  for (const float w : channel.weights) largest = std::max(largest, std::abs(w));
  return largest;
}

float half(float w, float levels_per_unit, float quarter) {
  if (levels_per_unit == 0.0F) return w / 2;
  return (w / 2 * levels_per_unit + quarter) / levels_per_unit;
}

}  // namespace

float SlowSplit::max_abs() const {
  float largest = 0.0F;
  for (const PhysicalChannel& channel : channels) {
    largest = std::max(largest, ocs::max_abs(channel));
  }
  return largest;
}

SlowSplit halve_largest(const ChannelMatrix& weight, int splits, float levels_per_unit) {
  SlowSplit split;
  for (int c = 0; c < weight.inputs; ++c) split.channels.push_back({.channel = c});
  for_each_weight(weight, [&](std::int64_t, std::int64_t column, std::size_t index) {
    split.channels[static_cast<std::size_t>(column)].weights.push_back(weight.data[index]);
  });
  for (int s = 0; s < splits; ++s) {
    const auto by_size = [](const auto& a, const auto& b) {
      return ocs::max_abs(a) < ocs::max_abs(b);
    };
    PhysicalChannel& largest = *std::ranges::max_element(split.channels, by_size);
    PhysicalChannel copy = largest;
    for (float& w : largest.weights) w = half(w, levels_per_unit, -0.25F);
    for (float& w : copy.weights) w = half(w, levels_per_unit, 0.25F);
    split.order.push_back(copy.channel);
    split.channels.push_back(std::move(copy));
  }
  return split;
}

std::vector<std::vector<std::int32_t>> rounded_sums(const SlowSplit& split, std::int64_t inputs,
                                                    float levels_per_unit, std::int32_t lowest,
                                                    std::int32_t highest) {
  std::vector<std::vector<std::int32_t>> sums(static_cast<std::size_t>(inputs));
  for (const PhysicalChannel& channel : split.channels) {
    auto& sum = sums[static_cast<std::size_t>(channel.channel)];
    sum.resize(channel.weights.size(), 0);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      const float level = std::nearbyint(channel.weights[i] * levels_per_unit);
      sum[i] += static_cast<std::int32_t>(
          std::clamp(level, static_cast<float>(lowest), static_cast<float>(highest)));
    }
  }
  return sums;
}

}  // namespace ocs
