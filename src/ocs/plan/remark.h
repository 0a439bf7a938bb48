#pragma once

#include <string>

#include "ocs/plan/plan.h"

namespace ocs {

// What a reader of the report should know of the layer, behind what is there already; once, however often it is said. "": nothing.
void add_remark(LayerPlan& layer, const std::string& remark);

}  // namespace ocs
