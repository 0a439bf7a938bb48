#pragma once

#include <span>
#include <vector>

#include "ocs/calibrate/stats.h"
#include "ocs/costs/cost_table_json.h"
#include "ocs/plan/estimate_channels.h"
#include "ocs/plan/find_layers.h"
#include "ocs/plan/make_plan.h"
#include "ocs/plan/plan.h"

namespace ocs {

// What one layer's weights are planned from.
struct WeightProblem {
  const Layer* layer = nullptr;
  const onnx::NodeProto* node = nullptr;
  Tensor weight{};            // float, as the float model computes with it
  std::vector<float> bias{};  // as the float model holds it; empty: none
  Tensor unfolded{};  // with `multiplier`: rounded as stored, BatchNormalization goes into the row
                      // scales
  std::vector<float> multiplier{};            // empty: rounded as `weight` stands
  const TensorStats* data = nullptr;          // of the layer's input; null: unknown
  const ChannelEstimate* estimate = nullptr;  // of the same, where there are no data; null: unknown
  const ActivationPlan* activation = nullptr;  // null: the input stays float, or
  bool rounds_as_it_runs = false;              // .. its scale is that of each run
  std::string
      float_data{};  // why it stays float although the recipe rounds data as they run; "": it does not, or they do
  // Of the layer's input (RoundProblem::energy); empty: roundings that look at the data fall back to
  // nearest.
  std::span<const float> energy{};
  std::span<const float> drift{};  // RoundProblem::drift; empty: the input is the float model's
  std::span<const double>
      mean_drift{};  // mean of float minus rounded model's input: columns() * taps
  std::vector<int>
      copies{};  // decided already: physical channels of each input channel; empty: by recipe.expand_ratio
  const CostTable* costs = &default_costs();  // of the engine's integer kernels
  bool is_behind_depthwise = false;  // copies that its producer makes go through a depthwise layer
  Recipe settings{};                 // overrides applied
};

// Copies, scales, integers and bias of one layer. Which channels are split: the paper's rule on the
// tensor (per tensor scales), on rows divided by their own spread (per channel scales). The clip
// threshold is taken on the split tensor (docs/splitting.md). Scales are raised where proofs.h asks for it.
[[nodiscard]] LayerPlan plan_weights(const WeightProblem& problem);

}  // namespace ocs
