#include "ocs/calibrate/sums.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ocs::sums {
namespace {

double total(const std::array<double, lanes>& part) {
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

}  // namespace

void channel_sums_scalar(std::span<const float> item, const Extents& extents,
                         const ChannelSums& to) {
  for (std::size_t channel = 0; channel < extents.channels; ++channel) {
    std::array<double, lanes> sum{};
    std::array<double, lanes> square{};
    float max_abs = 0.0F;
    for (std::size_t outer = 0; outer < extents.outer; ++outer) {
      const std::span<const float> run =
          item.subspan((outer * extents.channels + channel) * extents.inner, extents.inner);
      for (std::size_t i = 0; i < run.size(); ++i) {
        const double value = run[i];
        sum[i % lanes] += value;
        square[i % lanes] += value * value;
        max_abs = std::max(max_abs, std::abs(run[i]));
      }
    }
    to.sums[channel] = total(sum);
    to.squares[channel] = total(square);
    to.max_abs[channel] = max_abs;
  }
}

}  // namespace ocs::sums
