// Inner values as graph outputs: how calibration and comparison look inside a model.
#pragma once

#include <string>
#include <vector>

#include "ocs/graph/model.h"

namespace ocs {

// Makes these values of the main graph, in this order and each once, its outputs in place of those
// that it had. A value gets the type and shape that outputs, inputs or value_info know; without
// them the engine infers both. Throws Error(bad_input) for a name that the main graph does not
// have; the graph is unchanged then.
void set_outputs(onnx::GraphProto& graph, const std::vector<std::string>& names);

}  // namespace ocs
