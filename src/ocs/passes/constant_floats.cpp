#include "ocs/passes/constant_floats.h"

namespace ocs {

const onnx::TensorProto* constant_floats(const Graph& graph, std::string_view name) {
  const onnx::TensorProto* tensor = name.empty() ? nullptr : graph.initializer(name);
  if (tensor == nullptr || tensor->data_type() != onnx::TensorProto::FLOAT) return nullptr;
  return tensor;
}

std::filesystem::path folder_of(const Model& model) { return model.file().parent_path(); }

std::optional<std::vector<float>> per_channel(const Tensor& tensor, std::int64_t channels,
                                              int rank) {
  const auto values = tensor.as<float>();
  const int missing = rank - static_cast<int>(tensor.shape.size());  // extents of 1 in front
  if (missing < 0) return std::nullopt;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const bool is_channel_axis = static_cast<int>(i) + missing == 1;
    if (tensor.shape[i] == 1 || (is_channel_axis && tensor.shape[i] == channels)) continue;
    return std::nullopt;
  }
  if (values.size() == 1) return std::vector<float>(static_cast<std::size_t>(channels), values[0]);
  return std::vector<float>(values.begin(), values.end());
}

}  // namespace ocs
