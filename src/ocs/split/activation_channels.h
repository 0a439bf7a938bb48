// Which channels of an activation are split (paper section 3.5, docs/activation_splitting.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ocs {

// How often each channel takes which magnitude |x|, in bins that all channels share.
struct MagnitudeTable {
  std::span<const float> magnitudes{};     // of the bins, ascending, above 0
  std::span<const std::int64_t> counts{};  // channels x bins, row-major
  std::int64_t total = 0;  // values of all channels, with those in no bin (zeros, or nearly so)

  [[nodiscard]] std::int64_t channels() const {
    return magnitudes.empty() ? 0 : static_cast<std::int64_t>(counts.size() / magnitudes.size());
  }
};

// The paper's choice: the `splits` channels with the most values above the 99th percentile of |x|,
// each once; ties go to the lower channel. A bin that the percentile cuts counts in part. Gives the
// physical channels of each channel, 1 or 2. 0 <= splits; more than there are channels: all.
[[nodiscard]] std::vector<int> select_frequent(const MagnitudeTable& table, int splits);

struct SaturatingSplit {
  double threshold = 0.0;     // a: what one part holds at most
  std::vector<int> copies{};  // physical channels of each channel: its range is copies * a
};

// Threshold and channels together: the least
//   J(a; m) = sum over c of h_c * sum over its |x| of
//               (|x| - m_c a)^2 where |x| > m_c a,  else min(x^2, D^2/12) for |x| < D/2, D^2/12
//               above, with D = a / levels
// with sum of (m_c - 1) = splits; the splits of each candidate a are bought one by one, the largest
// gain first. `energy`: h_c, the squared norm of the weights that read channel c. `levels`: highest
// level of the grid. With splits = 0 the threshold alone. A table without counts gives threshold 0.
[[nodiscard]] SaturatingSplit select_saturating(const MagnitudeTable& table,
                                                std::span<const double> energy, int splits,
                                                int levels);

// J(a; m): what select_saturating minimises.
[[nodiscard]] double saturating_error(const MagnitudeTable& table, std::span<const double> energy,
                                      std::span<const int> copies, double threshold, int levels);

}  // namespace ocs
