#pragma once

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/pipeline/quantize.h"

namespace ocs {

// Cross-layer equalization (recipe.equalize) and smoothing (recipe.smooth) of `prepared.model` (docs/equalization.md): one pass over the first `energy_count` calibration samples, the choice
// of factors, the scaled weights; notes behind those of before. `samples` may be null. Throws what collecting throws.
void equalize_channels(Prepared& prepared, const Samples* samples, const Recipe& recipe,
                       const Engine& engine, const Progress& progress);

}  // namespace ocs
