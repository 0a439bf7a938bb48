// Kullback-Leibler calibration (TensorRT's idea, in the form that the paper's authors took over
// from MXNet). Every detail below decides the result; docs/quantization.md has the evidence.
//
// The signed values go into 1001 bins over [-max|x|, max|x|]. For every half-width i:
//   P: the bins inside, with the mass outside added to the two end bins;
//   Q: the counts inside without that mass, merged into 2N + 1 groups of floor(size / (2N + 1))
//      bins (the last takes the rest), each group's sum spread evenly over its bins that are not
//      empty; the very last bin stays empty (a slip of the original that favours wide ranges).
//   Empty bins then get eps = 1e-4, taken in equal shares from the others.
// The upper edge of the width with the least KL(P || Q) is the threshold.
//
// A width costs O(N), not O(bins): Q is constant on a group, and sums over P come from prefix sums.
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "ocs/clip/bounded.h"
#include "ocs/clip/clip.h"
#include "ocs/clip/histogram.h"

namespace ocs {
namespace {

constexpr std::size_t half = 500;  // bins on each side of the middle one
constexpr std::size_t bin_count = 2 * half + 1;
constexpr double eps = 1e-4;

// Sums over the bins of [0, i) that are not empty, p being their count:
// number, sum p, sum p log p, sum (1 + log p), sum p^-1, sum p^-2, sum p^-3.
using Sums = std::array<double, 7>;

Sums terms_of(double p) {
  if (p == 0.0) return {};
  const double log = std::log(p);
  return {1.0, p, p * log, 1.0 + log, 1.0 / p, 1.0 / (p * p), 1.0 / (p * p * p)};
}

Sums difference(const Sums& upper, const Sums& lower) {
  Sums sums{};
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = upper[k] - lower[k];
  return sums;
}

// sum (p - s) log(p - s) as a series in s; s <= 0.1 while p >= 1, and the first term left out,
// s^5 / (20 p^4), is then below 1e-6 of a count.
double shifted_entropy(const Sums& sums, double s) {
  return sums[2] + s * (-sums[3] + s * (sums[4] / 2 + s * (sums[5] / 6 + s * sums[6] / 12)));
}

double x_log_x(double x) { return x * std::log(x); }

class Divergence {
 public:
  Divergence(const std::vector<double>& counts, std::size_t steps)
      : counts_(counts), groups_(2 * steps + 1) {
    for (std::size_t i = 0; i < bin_count; ++i) {
      const Sums terms = terms_of(counts[i]);
      for (std::size_t k = 0; k < terms.size(); ++k) sums_[i + 1][k] = sums_[i][k] + terms[k];
    }
  }

  // KL(P || Q) for the bins [half - i, half + i]; infinite where smoothing leaves no count.
  [[nodiscard]] double at(std::size_t i) const {
    const std::size_t first = half - i;
    const std::size_t last = half + i;
    const auto size = static_cast<double>(last - first + 1);
    // P differs from the counts at its two ends only.
    const double p_first = counts_[first] + sums_[first][1];
    const double p_last = counts_[last] + sums_[bin_count][1] - sums_[last + 1][1];
    const Sums inner = difference(sums_[last], sums_[first + 1]);
    const double p_used = inner[0] + (p_first > 0.0 ? 1.0 : 0.0) + (p_last > 0.0 ? 1.0 : 0.0);
    // Q is empty where the counts are, and in the last bin.
    const double q_used = inner[0] + (counts_[first] > 0.0 ? 1.0 : 0.0);
    if (p_used == 0.0 || q_used == 0.0) return infinity;
    const double p_shift = eps * (size - p_used) / p_used;
    const double q_shift = eps * (size - q_used) / q_used;

    double entropy = shifted_entropy(inner, p_shift) + (size - p_used) * eps * std::log(eps);
    for (const double end : {p_first, p_last}) {
      if (end > 0.0) {
        if (end <= p_shift) return infinity;
        entropy += x_log_x(end - p_shift);
      }
    }
    const Cross cross = cross_terms(first, last, p_shift, q_shift);
    const double p_total = sums_[bin_count][1];     // smoothing moves mass, it adds none
    const double rest = p_total - cross.p_covered;  // where Q holds eps
    return (entropy - cross.p_log_q - rest * std::log(eps)) / p_total +
           std::log(cross.q_total / p_total);
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  struct Cross {
    double p_log_q = 0.0;    // sum of P log Q over the bins where Q is not empty
    double p_covered = 0.0;  // sum of P over them
    double q_total = 0.0;    // sum of Q
  };

  [[nodiscard]] Cross cross_terms(std::size_t first, std::size_t last, double p_shift,
                                  double q_shift) const {
    Cross cross;
    const std::size_t width = (last - first + 1) / groups_;
    for (std::size_t j = 0; j < groups_; ++j) {
      const std::size_t begin = first + j * width;
      const std::size_t end = j + 1 == groups_ ? last + 1 : begin + width;
      const Sums group = difference(sums_[end], sums_[begin]);
      if (group[0] == 0.0) continue;
      const double level = group[1] / group[0];
      double used = group[0];
      double mass = group[1];
      if (begin == first && counts_[first] > 0.0) mass += sums_[first][1];
      if (j + 1 == groups_ && counts_[last] > 0.0) {  // the last bin of Q is left empty
        used -= 1.0;
        mass -= counts_[last];
      }
      if (used <= 0.0) continue;
      if (level <= q_shift) return {.q_total = infinity};
      const double covered = mass - used * p_shift;
      cross.p_covered += covered;
      cross.p_log_q += covered * std::log(level - q_shift);
      cross.q_total += used * level;
    }
    return cross;
  }

  const std::vector<double>& counts_;
  std::size_t groups_;
  std::array<Sums, bin_count + 1> sums_{};
};

}  // namespace

float threshold(const KlClip&, const ClipInput& input) {
  const auto max_abs = static_cast<double>(input.max_abs());
  if (max_abs == 0.0) return 0.0F;
  const auto steps = static_cast<std::size_t>(input.grid.steps());
  const EqualBins bins = equal_bins(input, -max_abs, max_abs, bin_count);
  const Divergence divergence(bins.counts, steps);
  std::size_t best = half;  // a grid finer than the bins is not worth a clip
  double best_divergence = std::numeric_limits<double>::infinity();
  for (std::size_t i = steps; i <= half; ++i) {
    const double found = divergence.at(i);
    if (found < best_divergence) {
      best = i;
      best_divergence = found;
    }
  }
  return bounded_threshold((static_cast<double>(best) + 0.5) * bins.width, input.max_abs());
}

}  // namespace ocs
