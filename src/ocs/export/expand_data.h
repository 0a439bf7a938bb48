#pragma once

#include <cstdint>
#include <string>

#include <onnx/onnx_pb.h>

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"

namespace ocs {

// Adds the nodes to `place`, the main graph of `out` or a body in it, that bring the channels of `value` (on `axis`) to the inputs of a
// layer with copies of its own (forms gather and slice) or residual columns; returns what they make.
std::string expand_data(Model& out, onnx::GraphProto& place, const LayerPlan& layer,
                        const std::string& value, std::int64_t axis);

}  // namespace ocs
