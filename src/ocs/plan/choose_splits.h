#pragma once

#include <map>
#include <string>
#include <vector>

#include "ocs/calibrate/collect.h"
#include "ocs/calibrate/stats.h"
#include "ocs/graph/graph.h"
#include "ocs/passes/split_channels.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// Whether the recipe splits channels of activations before anything is planned: the oracle does it
// while the model runs.
[[nodiscard]] bool splits_activations(const Recipe& recipe);

// What choose_splits must know: the magnitudes of every value that a quantized layer reads.
[[nodiscard]] std::vector<TensorRequest> split_requests(const Model& model, const Recipe& recipe);

struct ChosenSplits {
  std::vector<ChannelSplit> splits{};
  // Saturating: what the highest level of a value that is not split stands for, by the same
  // objective.
  std::map<std::string, float> thresholds{};
  std::vector<Note> notes{};  // values that are not split, and why, at their first reader
};

// The channels of activations that are split (paper section 3.5, docs/activation_splitting.md):
// ceil(act_expand_ratio * channels) copies of each value that quantized layers read, unless one of
// these is grouped, or they see its channels along different axes. `magnitudes`: what
// split_requests asks for.
[[nodiscard]] ChosenSplits choose_splits(const Model& model, const CalibrationStats& magnitudes,
                                         const Recipe& recipe);

}  // namespace ocs
