#pragma once

#include <vector>

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"
#include "ocs/report/report.h"

namespace ocs {

// One row for each planned layer, each quantized table and each layer left in float, in the order of the nodes of `model`
// (the float model that was planned); what the plan knows is filled in, measured figures are not.
[[nodiscard]] std::vector<LayerReport> layer_reports(const Plan& plan, const Model& model);

[[nodiscard]] std::string_view name_of(SplitForm form);

}  // namespace ocs
