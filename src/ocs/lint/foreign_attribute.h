// Attributes that an operator does not have in the model's opset. Tools that raise the opset and adapt only the nodes that they know leave
// such behind, and ONNX Runtime does not load the model.
#pragma once

#include <string>

#include "ocs/graph/model.h"

namespace ocs {

// A sentence about the first such attribute, bodies of If, Loop and Scan included; "" where there is none. Knows the usual operators
// whose attributes ONNX has made inputs or added later (ONNX, docs/Changelog.md).
[[nodiscard]] std::string foreign_attribute(const Model& model);

}  // namespace ocs
