// Where the bytes of an external tensor lie. Used by tensor_proto.cpp alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <onnx/onnx_pb.h>

namespace ocs {

// The bytes that `proto` points to: `length` of them where it says so, else `expected`, else (where
// neither is known) the rest of the file. Throws Error(bad_input), without the tensor's name, for a
// location outside `folder`, a file that is missing or too short, and a length other than
// `expected`.
[[nodiscard]] std::string read_external_data(const onnx::TensorProto& proto,
                                             const std::filesystem::path& folder,
                                             std::optional<std::uint64_t> expected);

}  // namespace ocs
