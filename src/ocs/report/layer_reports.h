#pragma once

#include <vector>

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"
#include "ocs/report/report.h"

namespace ocs {

// One row for each planned layer, each quantized table and each layer left in float, in the order of the nodes of `model`
// (the float model that was planned); what the plan knows is filled in, measured figures are not.
[[nodiscard]] std::vector<LayerReport> layer_reports(const Plan& plan, const Model& model);

// Multiply-accumulates that copies add to a layer: macs * added channels / channels, and the same of
// its rows where the hidden units of its node were copied (`row_share`: added / all). Copies count
// as real in every form.
[[nodiscard]] std::int64_t extra_macs(const LayerPlan& layer, double row_share);

[[nodiscard]] std::string_view name_of(SplitForm form);

}  // namespace ocs
