#pragma once

#include <filesystem>

#include "ocs/core/write_file.h"  // what write_model writes with; for any other bytes
#include "ocs/graph/model.h"

namespace ocs {

// Reads an ONNX model with its external data. Throws Error(bad_input) naming the file for what is missing, a directory, empty, truncated,
// not ONNX, without a graph, cyclic, or whose float initializers hold NaN or infinity (tensor named).
[[nodiscard]] Model read_model(const std::filesystem::path& file);

// Deterministic bytes to a new file beside `file`, synced, then renamed over it: never a partial file. Throws Error(bad_input) naming
// the path where it cannot be written (full disk, no permission); nothing is left behind.
void write_model(const Model& model, const std::filesystem::path& file);

}  // namespace ocs
