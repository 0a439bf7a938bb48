#include "ocs/clip/bounded.h"
#include "ocs/clip/clip.h"

namespace ocs {

float threshold(const RatioClip& clip, const ClipInput& input) {
  const float max_abs = input.max_abs();
  if (max_abs == 0.0F) return 0.0F;
  return bounded_threshold(clip.ratio * static_cast<double>(max_abs), max_abs);
}

}  // namespace ocs
