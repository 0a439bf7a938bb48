#include "cli/file_size.h"

#include <algorithm>
#include <system_error>

namespace ocs::cli {

std::int64_t model_size(const Model& model, const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return std::max(error ? 0 : static_cast<std::int64_t>(size),
                  static_cast<std::int64_t>(model.proto().ByteSizeLong()));
}

}  // namespace ocs::cli
