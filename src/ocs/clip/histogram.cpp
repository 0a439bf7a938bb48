#include "ocs/clip/histogram.h"

#include <algorithm>
#include <cmath>

namespace ocs {

EqualBins equal_bins(const ClipInput& input, double low, double high, std::size_t bins) {
  EqualBins made{.low = low,
                 .width = (high - low) / static_cast<double>(bins),
                 .counts = std::vector<double>(bins, 0.0)};
  const double per_unit = made.width > 0.0 ? 1.0 / made.width : 0.0;
  const double last = static_cast<double>(bins) - 1.0;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const double position = (static_cast<double>(input.values[i]) - low) * per_unit;
    const auto bin = static_cast<std::size_t>(std::clamp(position, 0.0, last));
    made.counts[bin] += input.counts.empty() ? 1.0 : input.counts[i];
  }
  return made;
}

double centre_error(const EqualBins& bins, double threshold, const Grid& grid) {
  const double step = threshold / grid.steps();
  double error = 0.0;
  for (std::size_t i = 0; i < bins.counts.size(); ++i) {
    if (bins.counts[i] == 0.0) continue;
    const double centre = bins.centre(i);
    const double level =
        std::clamp(std::nearbyint(centre / step), static_cast<double>(grid.lowest()),
                   static_cast<double>(grid.highest()));
    const double miss = centre - level * step;
    error += bins.counts[i] * miss * miss;
  }
  return error;
}

}  // namespace ocs
