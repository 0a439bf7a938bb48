// Short questions that tests ask of models, and inputs to run them with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/graph/model.h"

namespace ocs {

[[nodiscard]] std::vector<std::string> op_types(
    const Model& model);  // of the main graph, in its order
[[nodiscard]] std::vector<std::string> node_names(const Model& model);         // the same
[[nodiscard]] std::vector<std::string> initializer_names(const Model& model);  // the same
// Throws Error(bad_input) where there is none.
[[nodiscard]] const onnx::NodeProto& node_of(const Model& model, std::string_view name);
[[nodiscard]] Tensor initializer_of(const Model& model, std::string_view name);

// A value for every input of the model: normals for floats, integers of [0, 4), random booleans. A
// free extent becomes `free_extent`.
[[nodiscard]] NamedTensors random_inputs(const Model& model, std::uint64_t seed,
                                         std::int64_t free_extent = 2);
[[nodiscard]] Tensor random_tensor(const Shape& shape, std::uint64_t seed);  // normals
// Samples of one input: normals, those of sample i with seed i + 1.
[[nodiscard]] Samples random_samples(const std::string& input, const Shape& shape,
                                     std::size_t count);

}  // namespace ocs
