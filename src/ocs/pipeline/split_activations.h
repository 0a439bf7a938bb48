#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ocs/calibrate/stats.h"
#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/plan/make_plan.h"

namespace ocs {

struct SplitActivationsResult {
  SplitActivations done{};
  CalibrationStats stats{};                                    // those given, and of the parts
  std::vector<std::pair<ChannelSplit, std::string>> halves{};  // with the value of their parts
};

// Splits channels of activations in `prepared.model` (docs/activation_splitting.md): one more pass
// over the calibration samples for the magnitudes of the channels, and one for statistics of the
// parts. Throws Error(bad_input) without samples, and what choose_splits and collect throw.
[[nodiscard]] SplitActivationsResult split_activations(Prepared& prepared,
                                                       const CalibrationStats& stats,
                                                       const Recipe& recipe, const Samples* samples,
                                                       const Engine& engine,
                                                       const Progress& progress);

// Moves the halves by a quarter of the step that the plan has given them, where the recipe's split
// is quantization-aware.
void make_halves_exact(const SplitActivationsResult& split, const Recipe& recipe, const Plan& plan,
                       Prepared& prepared);

}  // namespace ocs
