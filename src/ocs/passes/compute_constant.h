// The value of a node all of whose inputs are constant: of the operators that exporters put around
// weights, no others.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <onnx/onnx_pb.h>

namespace ocs {

// nullptr: not a constant.
using FindConstant = std::function<const onnx::TensorProto*(const std::string&)>;

// What `node` gives as its first output, named so; nothing where the node is none of Constant (not
// sparse), Identity, Cast, Transpose, Reshape, Squeeze, Unsqueeze, Flatten, Slice,
// Concat (at most 2^26 elements) and ConstantOfShape (at most 65536), where an input is not constant, and where the result cannot be held: shapes
// that do not fit, a Cast to float16 or of values out of the new type's range. `folder`: where
// external data lies. Throws Error(bad_input) naming a tensor whose sizes do not agree.
[[nodiscard]] std::optional<onnx::TensorProto> compute_constant(
    const onnx::NodeProto& node, const FindConstant& find, const std::filesystem::path& folder);

}  // namespace ocs
