#pragma once

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/pipeline/sensitivity.h"
#include "ocs/plan/plan.h"

namespace ocs {

// What an error of each layer does to the outputs of the network: relative error of the outputs over relative error of the layer's own
// result, with this layer's weights alone rounded to nearest at the recipe's bits, without copies, activations float. On all of
// `samples`; layers whose error cannot be seen (none, or outputs that are not float) have no entry.
// One run of the network for each layer and sample; parallel over samples, deterministic.
[[nodiscard]] LayerGains weigh_layers(const Model& model, const Recipe& recipe,
                                      const Samples& samples, const Engine& engine,
                                      const Progress& progress);

}  // namespace ocs
