// Recognizing the ONNX model zoo's test data.
#pragma once

#include <filesystem>

namespace ocs {

// A folder with input_K.pb files, or one that holds test_data_set_* folders.
[[nodiscard]] bool is_model_zoo(const std::filesystem::path& folder);

}  // namespace ocs
