// Layers that spoil the network go back to float, each with its reason (never in recipe `paper`).
#pragma once

#include <map>

#include "ocs/pipeline/sensitivity.h"

namespace ocs {

// Both return the plan of the layers that stay; those that went are among `skipped`.

// By the layers' own errors (problem.measured): one below 15 dB and 10 dB below the median goes.
[[nodiscard]] Plan take_back_poor_layers(const SensitivityProblem& problem, Plan plan);

// Whether an output lost more than 8-bit weights and activations should cost any network: it keeps less than 12 dB. Other bits are asked for as
// they are.
[[nodiscard]] bool has_spoiled_outputs(const Recipe& recipe, const OutputMeasurement& measured);

// As few of the layers that do most to the outputs (WorstLayers) as bring these back to 12 dB, on the first four samples.
// `measured`: with this plan.
[[nodiscard]] Plan rescue_outputs(const SensitivityProblem& problem, const Plan& plan,
                                  const OutputMeasurement& measured);

}  // namespace ocs
