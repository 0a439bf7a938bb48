#include "ocs/pipeline/unmeasured_samples.h"

#include <algorithm>

namespace ocs {

Samples unmeasured_samples(const Samples& samples, const Recipe& recipe, std::size_t count) {
  Samples seen = samples;
  if (recipe.calib_count > 0) seen.count = std::min(recipe.calib_count, seen.count);
  const std::size_t measured = std::min(recipe.measure_count, seen.count);
  if (const std::size_t others = seen.count - measured; others >= measured) {
    seen.count = others;
    seen.load = [load = samples.load, measured](std::size_t i) { return load(measured + i); };
  }
  if (count > 0) seen.count = std::min(count, seen.count);
  return seen;
}

}  // namespace ocs
