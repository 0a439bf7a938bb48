// Layers that spoil the network go back to float, each with its reason (never in recipe `paper`).
#pragma once

#include "ocs/pipeline/sensitivity.h"

namespace ocs {

// First by the layers' own errors: one below 15 dB and 10 dB below the median goes. Then, with 8-bit weights and activations, which should
// lose no network: where an output keeps less than 12 dB on the first four samples, the layers are ranked by what each alone does to the outputs
// (rank_layers), and as few of the worst go as bring the outputs there. Returns the plan of the layers that stay; those that
// went are among `skipped`.
[[nodiscard]] Plan take_back_spoilers(const SensitivityProblem& problem, Plan plan);

}  // namespace ocs
