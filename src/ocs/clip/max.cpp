#include "ocs/clip/clip.h"

namespace ocs {

float threshold(const MaxClip&, const ClipInput& input) { return input.max_abs(); }

}  // namespace ocs
