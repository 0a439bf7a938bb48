#include "cli/file_size.h"

#include <algorithm>
#include <system_error>

#include "ocs/graph/tensor_proto.h"

namespace ocs::cli {

std::int64_t model_size(const Model& model, const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  std::uint64_t left = 0;
  for (const onnx::TensorProto& tensor : model.graph().initializer())
    left += external_size(tensor, file.parent_path());
  return std::max(error ? 0 : static_cast<std::int64_t>(size),
                  static_cast<std::int64_t>(model.proto().ByteSizeLong())) +
         static_cast<std::int64_t>(left);
}

}  // namespace ocs::cli
