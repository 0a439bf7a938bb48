#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

#include "ocs/calibrate/stats.h"
#include "ocs/costs/cost_table.h"
#include "ocs/graph/model.h"
#include "ocs/passes/fold_batchnorm.h"
#include "ocs/passes/split_channels.h"
#include "ocs/plan/plan.h"

namespace ocs {

// What was folded into a layer before planning; for rounding before the fold (recipe `paper`,
// docs/quantization.md).
struct UnfoldedRows {
  Tensor weight{};                  // as stored
  std::vector<float> multiplier{};  // g of each output channel
};

// What the splitting of activations has done to the model before (docs/activation_splitting.md).
struct SplitActivations {
  std::map<std::string, float> thresholds{};     // by value: what its highest level stands for
  std::map<std::string, ChannelGrowth> grown{};  // by node
};

// What else is known before planning; all of it may be left out.
struct Foreknowledge {
  SplitActivations split{};
  std::map<std::string, NormalChannels> normals{};  // by value, of folded BatchNormalization
  LayerGains gains{};                               // for the budget of copies
  const CostTable* costs = nullptr;                 // null: the program's own
};

// Shown what is planned as soon as it is, a few layers at a time in graph order, so that not all integers need be in memory
// at once: it may take them away (LayerPlan::kept). Empty functions: nobody looks.
struct PlanObserver {
  std::function<void(std::span<LayerPlan>)> layers{};
  std::function<void(std::span<EmbeddingPlan>)> embeddings{};
};

// The decisions in order: layers, regions, activations, weights, bias, embeddings. `stats` may be null where
// the recipe keeps activations float: then biases are corrected, and errors weighed, with what `known.normals` and the graph
// tell of the channels (estimate_channels.h). Deterministic; parallel over layers.
[[nodiscard]] Plan make_plan(const Model& model, const CalibrationStats* stats,
                             const Recipe& recipe,
                             const std::map<std::string, UnfoldedRows>& unfolded,
                             const Foreknowledge& known = {}, const PlanObserver& observer = {});

}  // namespace ocs
