// Integers and scales made better by turns, where the second moments of the inputs are known
// (docs/rounding.md).
#pragma once

#include "ocs/round/round.h"

namespace ocs {

// Lessens the error of the layer's output that RoundProblem::energy and drift measure, from `rounded` on:
// by turns each row's scale becomes the one that fits its integers best (problem.fits_scales), and each integer
// the best one with all others as they are, until none moves or eight turns are over. Never makes a row
// worse. Columns whose parts are rounded one by one stay. Without energy: as given. Throws what check()
// throws, and Error(internal) for another weight's integers.
[[nodiscard]] Rounded refine(const RoundProblem& problem, Rounded rounded);

}  // namespace ocs
