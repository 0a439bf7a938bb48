#pragma once

#include <vector>

#include "ocs/calibrate/collect.h"
#include "ocs/graph/model.h"

namespace ocs {

// What calibration must see of `model` (folded, normalized) so that any recipe can be planned from
// it. `of_results`: also one for a target that quantizes what leaves the graph.
[[nodiscard]] std::vector<TensorRequest> statistics_requests(const Model& model, bool of_results);

}  // namespace ocs
