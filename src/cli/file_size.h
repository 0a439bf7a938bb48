#pragma once

#include <cstdint>
#include <filesystem>

#include "ocs/graph/model.h"

namespace ocs::cli {

// Bytes on disk of a model that was just read from `file` or written to it. With weights in files of their own, those count too: the
// model in memory holds them, or refers to them.
[[nodiscard]] std::int64_t model_size(const Model& model, const std::filesystem::path& file);

}  // namespace ocs::cli
