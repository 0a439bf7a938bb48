// Equal bins over a range, as the histogram methods (mse-hist, aciq, kl) need them.
#pragma once

#include <cstddef>
#include <vector>

#include "ocs/clip/clip.h"

namespace ocs {

struct EqualBins {
  double low = 0.0;
  double width = 0.0;  // 0: all values are equal and lie in the first bin
  std::vector<double> counts{};

  [[nodiscard]] double centre(std::size_t bin) const {
    return low + (static_cast<double>(bin) + 0.5) * width;
  }
};

// The values of `input`, with their counts, in `bins` bins over [low, high]; the last bin holds its
// upper edge too. Values outside go to the nearest bin (a histogram's centres never lie there).
[[nodiscard]] EqualBins equal_bins(const ClipInput& input, double low, double high,
                                   std::size_t bins);

// sum of count * (c - Q(c))^2 over the bins, every bin standing for its centre c; threshold > 0.
[[nodiscard]] double centre_error(const EqualBins& bins, double threshold, const Grid& grid);

}  // namespace ocs
