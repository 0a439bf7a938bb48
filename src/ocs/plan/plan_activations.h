#pragma once

#include <map>
#include <string>

#include "ocs/calibrate/stats.h"
#include "ocs/plan/activation_function.h"
#include "ocs/plan/plan.h"
#include "ocs/plan/regions.h"

namespace ocs {

// Statistics of a value; throws Error(bad_input) naming it where the calibration has not seen it.
[[nodiscard]] const TensorStats& stats_of(const CalibrationStats& stats, const std::string& value);

// Scale, zero point and levels of one value from its statistics: asymmetric uint8 (uint16 above 8
// bits), zero point 0 where it is never negative; symmetric: levels 0 .. N or 128 +- N (the
// paper). `bounds`: the absorbed Clip's, so that the grid lies inside.
// `function`: what alone reads the value; the mse clip then minimises the error behind it.
struct ValueBounds {
  std::optional<float> low{};
  std::optional<float> high{};
  std::optional<ActivationFunction> function{};
};
[[nodiscard]] ActivationPlan plan_activation(const TensorStats& stats, const Clip& clip, int bits,
                                             ActRange range, const ValueBounds& bounds);

// All quantized values of the regions. Bits of a value: the most that a layer reading it asks for;
// 8 where none reads it. `thresholds`: by value, what the highest level stands for in place of what
// the clip would choose; a value with a sign then gets a symmetric grid.
[[nodiscard]] std::map<std::string, ActivationPlan> plan_activations(
    const Graph& graph, const Regions& found, const std::vector<Layer>& layers,
    const CalibrationStats& stats, const Recipe& recipe,
    const std::map<std::string, float>& thresholds = {});

}  // namespace ocs
