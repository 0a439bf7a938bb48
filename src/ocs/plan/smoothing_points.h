#pragma once

#include <vector>

#include "ocs/passes/gains.h"
#include "ocs/passes/scalable_channels.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// Where smoothing (Xiao et al. 2023, "SmoothQuant") needs a Mul: values that MatMul or Gemm with a constant weight round to at most 8
// bits and that the engine has as floats anyway, so that no integer kernels are torn apart. Not where the step before takes
// factors by itself (scalable_channels: LayerNormalization, Mul by a constant for each channel) and nothing but such layers reads it; nor
// behind Relu and Clip.
[[nodiscard]] std::vector<GainPoint> smoothing_points(const Model& model, const Recipe& recipe);

// What is left of `channels` for smoothing alone: channels that layers read and none makes.
[[nodiscard]] ScalableChannels only_smoothing(ScalableChannels channels);

// Whether smoothing can do anything to this model.
[[nodiscard]] bool can_smooth(const Model& model, const Recipe& recipe);

}  // namespace ocs
