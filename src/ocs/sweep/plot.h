// The result of a sweep as a picture.
#pragma once

#include <string>

#include "ocs/sweep/spec.h"
#include "ocs/sweep/sweep.h"

namespace ocs {

// SVG without script or anything from elsewhere: the first shown figure over the rows, a line for
// each column, the float model dashed. The scale is logarithmic where smaller is better and the
// values span more than a factor of five. Points without a value are left out.
[[nodiscard]] std::string to_svg(const SweepSpec& spec, const SweepResult& result);

}  // namespace ocs
