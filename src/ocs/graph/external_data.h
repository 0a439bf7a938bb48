// Where the bytes of an external tensor lie. Used by tensor_proto.cpp alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include <onnx/onnx_pb.h>

namespace ocs {

struct ExternalRange {
  std::filesystem::path file{};
  std::uint64_t offset = 0;  // bytes
  std::uint64_t length = 0;  // bytes; all of them lie in the file
};

// What `proto` points to: `length` bytes where it says so, else `expected`, else (where neither is
// known) the rest of the file. Throws Error(bad_input), without the tensor's name, for a location
// outside `folder`, a file that is missing or too short, and a length other than `expected`.
[[nodiscard]] ExternalRange external_range(const onnx::TensorProto& proto,
                                           const std::filesystem::path& folder,
                                           std::optional<std::uint64_t> expected);

// The bytes from `start` of the range on, as many as `bytes` holds. Throws Error(bad_input) where the file
// cannot be read.
void read_external(const ExternalRange& range, std::uint64_t start, std::span<std::byte> bytes);

}  // namespace ocs
