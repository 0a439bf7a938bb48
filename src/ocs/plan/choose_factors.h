#pragma once

#include <map>
#include <string>
#include <vector>

#include "ocs/calibrate/collect.h"
#include "ocs/core/note.h"
#include "ocs/graph/model.h"
#include "ocs/passes/scalable_channels.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

struct ChosenFactors {
  std::vector<double> factors{};  // by class
  // By value that is rounded: by how much the noise of that falls, in dB, weighed as the layers behind it do.
  std::map<std::string, double> gain_db{};
  std::vector<Note> notes{};
};

// What the choice must know of the activations of `model` (folded, normalized).
[[nodiscard]] std::vector<TensorRequest> equalization_requests(const Model& model,
                                                               const Recipe& recipe,
                                                               const ScalableChannels& channels);

// Factors that leave the least noise under the recipe's bits and granularities (docs/equalization.md). A channel that has
// reached the bound of a Clip keeps its scale, others stay within it. `stats` may be null: then channels behind a Clip keep their scale, all
// data count alike, and activations are left out. Throws Error(bad_input) where a tensor is missing in `stats`. Notes: how much noise is
// predicted to go, and where and why channels keep their scale.
[[nodiscard]] ChosenFactors choose_factors(const Model& model, const CalibrationStats* stats,
                                           const Recipe& recipe, const ScalableChannels& channels);

}  // namespace ocs
