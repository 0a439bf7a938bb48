// ONNX Runtime as an engine. Its header is included by files of this folder alone (docs/adr/0004).
#pragma once

#include <filesystem>
#include <string>

#include "ocs/engine/engine.h"

namespace ocs {

// The engine of ONNX Runtime's CPU provider. Quiet: its log goes to EngineOptions::warn, never to a stream.
// Inputs of types that Tensor has not (strings, sequences, ...) are refused with Error(unsupported); such outputs are left out.
[[nodiscard]] Engine onnx_runtime();

// The same for a model file that the runtime reads by itself, external data included. Throws Error(bad_input) where the
// file is missing, Error(engine) where the runtime refuses it.
[[nodiscard]] RunModel open_model_file(const std::filesystem::path& file,
                                       const EngineOptions& options);

[[nodiscard]] std::string onnx_runtime_version();  // "1.32.0"

}  // namespace ocs
