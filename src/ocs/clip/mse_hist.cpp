// The search of the paper authors' published code, for comparison with their figures. It resolves
// the threshold to 1% of the largest magnitude and never leaves a tensor unclipped.
#include <limits>

#include "ocs/clip/bounded.h"
#include "ocs/clip/clip.h"
#include "ocs/clip/histogram.h"

namespace ocs {

float threshold(const MseHistClip&, const ClipInput& input) {
  const double max_abs = input.max_abs();
  if (max_abs == 0.0) return 0.0F;
  const EqualBins bins = equal_bins(input, input.min, input.max, 201);
  double best = max_abs;
  double best_error = std::numeric_limits<double>::infinity();
  for (int k = 1; k <= 99; ++k) {
    const double candidate = k / 100.0 * max_abs;
    const double error = centre_error(bins, candidate, input.grid);
    if (error < best_error) {
      best = candidate;
      best_error = error;
    }
  }
  return bounded_threshold(best, input.max_abs());
}

}  // namespace ocs
