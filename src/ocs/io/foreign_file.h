// Says what a file is that protobuf could not read as a model. Used by model_file.cpp alone.
#pragma once

#include <filesystem>
#include <string>

namespace ocs {

// "is cut short: ...", "is a Git LFS pointer, not the model itself", "is not an ONNX model", ...
[[nodiscard]] std::string what_is_wrong_with(const std::filesystem::path& file);

}  // namespace ocs
