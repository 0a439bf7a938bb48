// Constant float tensors of a graph, as the passes that rewrite weights need them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "ocs/core/tensor.h"
#include "ocs/graph/graph.h"

namespace ocs {

// The initializer of this name if it holds float32; nullptr otherwise.
[[nodiscard]] const onnx::TensorProto* constant_floats(const Graph& graph, std::string_view name);

// Where the model's external data lies.
[[nodiscard]] std::filesystem::path folder_of(const Model& model);

// The value that each of `channels` channels gets where `tensor` (float) is broadcast to a tensor
// of rank `rank` whose axis 1 has the channels, [N, channels, ..]: of one element, or with the
// channels on that axis and extents of 1 elsewhere. Nothing for any other shape.
[[nodiscard]] std::optional<std::vector<float>> per_channel(const Tensor& tensor,
                                                            std::int64_t channels, int rank);

}  // namespace ocs
