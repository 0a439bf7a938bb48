// Layers that spoil the network go back to float, each with its reason (never in recipe `paper`).
#pragma once

#include <map>
#include <string>

#include "ocs/pipeline/measure.h"

namespace ocs {

// What the fallback works with. `model` comes back as it was.
struct FallbackProblem {
  const Model* model = nullptr;
  const Recipe* recipe = nullptr;
  const FloatMeasurement* measured = nullptr;
  const Samples* samples = nullptr;
  const Engine* engine = nullptr;
  Progress progress{};
};

// First by the layers' own errors: one below 15 dB and 10 dB below the median goes. Then, with 8-bit weights and activations, which should
// lose no network: where an output keeps less than 12 dB, the layers are ranked by what each alone does to the outputs (quantized by
// itself, all others float), and as few of the worst go as bring the outputs there. Returns the plan of the layers that stay; those that
// went are among `skipped`.
[[nodiscard]] Plan take_back_spoilers(const FallbackProblem& problem, Plan plan);

}  // namespace ocs
