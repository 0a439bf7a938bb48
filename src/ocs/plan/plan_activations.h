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
// paper). Fitted to an engine by plan_activations. `bounds`: the absorbed Clip's, so that the grid lies inside.
// `function`: what alone reads the value; the mse clip then minimises the error behind it.
struct ValueBounds {
  std::optional<float> low{};
  std::optional<float> high{};
  std::optional<ActivationFunction> function{};
};
[[nodiscard]] ActivationPlan plan_activation(const TensorStats& stats, const Clip& clip, int bits,
                                             ActRange range, const ValueBounds& bounds);

// Whose scale a value has: its own, or that of the value which it only passes on.
[[nodiscard]] const std::string& scale_source_of(const Regions& regions, const std::string& value);

// How a value is to be quantized.
struct ActivationSettings {
  int bits = 8;
  Clip clip{};
};

// Settings of all quantized values of the regions: those of the layer which asks for the most bits among
// those that read the value or one with the same scale; the recipe's and at least 8 bits where none does.
[[nodiscard]] std::map<std::string, ActivationSettings> activation_settings(
    const Regions& regions, const std::vector<Layer>& layers, const Recipe& recipe);

// All quantized values of the regions, with their activation_settings, in the form that the recipe's target takes: int8 around 0 where it
// wants that, a power of two as scale, the one with the smaller error. `thresholds`: by value, what the highest level stands for in place of what
// the clip would choose; a value with a sign then gets a symmetric grid.
[[nodiscard]] std::map<std::string, ActivationPlan> plan_activations(
    const Graph& graph, const Regions& found, const std::vector<Layer>& layers,
    const CalibrationStats& stats, const Recipe& recipe,
    const std::map<std::string, float>& thresholds = {});

}  // namespace ocs
