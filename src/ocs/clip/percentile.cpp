// The smallest magnitude that at least `percent` per cent of the values do not exceed.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "ocs/clip/clip.h"

namespace ocs {
namespace {

float of_values(std::span<const float> values, double share) {
  std::vector<float> magnitudes(values.size());
  std::ranges::transform(values, magnitudes.begin(), [](float v) { return std::abs(v); });
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  const auto index =
      std::min(static_cast<std::size_t>(std::max(rank - 1.0, 0.0)), values.size() - 1);
  std::ranges::nth_element(magnitudes, magnitudes.begin() + static_cast<std::ptrdiff_t>(index));
  return magnitudes[index];
}

float of_counted_values(const ClipInput& input, double share) {
  std::vector<std::size_t> order(input.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto magnitude = [&](std::size_t i) { return std::abs(input.values[i]); };
  std::ranges::sort(order, {}, magnitude);
  const double total = std::accumulate(input.counts.begin(), input.counts.end(), 0.0);
  double seen = 0.0;
  for (const std::size_t i : order) {
    seen += input.counts[i];
    if (seen >= share * total) return magnitude(i);
  }
  return magnitude(order.back());
}

// Where most values are zero (behind a Relu) the percentile can be zero, which is no threshold.
float smallest_nonzero(std::span<const float> values, float max_abs) {
  float smallest = max_abs;
  for (const float v : values) {
    if (v != 0.0F) smallest = std::min(smallest, std::abs(v));
  }
  return smallest;
}

}  // namespace

float threshold(const PercentileClip& clip, const ClipInput& input) {
  const float max_abs = input.max_abs();
  if (clip.percent >= 100.0 || max_abs == 0.0F) return max_abs;
  const double share = clip.percent / 100.0;
  const float found =
      input.counts.empty() ? of_values(input.values, share) : of_counted_values(input, share);
  return found > 0.0F ? std::min(found, max_abs) : smallest_nonzero(input.values, max_abs);
}

}  // namespace ocs
