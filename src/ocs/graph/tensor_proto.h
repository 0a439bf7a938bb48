// TensorProto <-> Tensor: every storage form (raw, typed fields, external data, float16 and
// bfloat16 widened), checked sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"

namespace ocs {

// Throws Error(bad_input) naming the tensor where sizes do not agree or a stored value does not fit
// its type; Error(unsupported) for types that a Tensor cannot hold (strings, complex, below one
// byte, uint32, uint64, float8): such tensors pass through a model untouched. `folder`: where
// external data lies; must not be left by the location (no "..", no absolute path). Nothing is
// allocated before the declared size has been found in the file.
[[nodiscard]] Tensor to_tensor(const onnx::TensorProto& proto,
                               const std::filesystem::path& folder = {});
// Moves external data into raw_data, of any element type; nothing to do for other tensors. Same
// errors.
void load_external_data(onnx::TensorProto& proto, const std::filesystem::path& folder);

// Bytes that an external tensor has in its file, 0 for any other. Same errors.
[[nodiscard]] std::uint64_t external_size(const onnx::TensorProto& proto,
                                          const std::filesystem::path& folder);
// The bytes of an external tensor as they lie in its file, piece by piece, each of at most 4 MB and, but for the last, of
// whole elements. Same errors.
void for_each_external_block(const onnx::TensorProto& proto, const std::filesystem::path& folder,
                             const std::function<void(std::span<const std::byte>)>& visit);
// Makes an external tensor of float16 or bfloat16 one of float: its bytes stay as they are and are widened
// by whoever reads them through this file. Nobody else understands such a tensor: load_external_data
// makes an ordinary one of it.
void widen_external(onnx::TensorProto& proto);
[[nodiscard]] bool is_widened_external(const onnx::TensorProto& proto);

// The values of a tensor that to_tensor reads as floats, to be changed where they are; it becomes one of float with raw_data first, where
// it is not. Same errors, and Error(bad_input) for other types.
[[nodiscard]] std::span<float> floats_in(onnx::TensorProto& proto,
                                         const std::filesystem::path& folder = {});

// As raw_data.
[[nodiscard]] onnx::TensorProto to_proto(const Tensor& tensor, const std::string& name);
// Integers as int8 (`bits` 8), int4 or int2, several in a byte, those of lower index in its lower bits; int4 is of opset 21
// on, int2 of 25. Throws Error(internal) where one does not fit or the tensor is not int8.
[[nodiscard]] onnx::TensorProto to_packed_proto(const Tensor& integers, int bits);
// Element count from dims alone; throws Error(bad_input) naming the tensor.
[[nodiscard]] std::int64_t element_count(const onnx::TensorProto& proto);
[[nodiscard]] Shape shape_of(const onnx::TensorProto& proto);
// The values that the tensor holds itself (not external) are as many as its shape asks for. Throws
// Error(bad_input) naming the tensor.
void check_size(const onnx::TensorProto& proto);

}  // namespace ocs
