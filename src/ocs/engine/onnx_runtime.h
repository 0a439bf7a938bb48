#pragma once

#include <string>

#include "ocs/engine/engine.h"

namespace ocs {

// The engine of ONNX Runtime's CPU provider. Quiet: warnings of the runtime are collected, not printed.
[[nodiscard]] Engine onnx_runtime();
[[nodiscard]] std::string onnx_runtime_version();  // "1.32.0"

}  // namespace ocs
