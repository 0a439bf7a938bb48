// Models and files. The only place that reads or writes ONNX files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>

#include "ocs/core/write_file.h"  // what write_model writes with; for any other bytes
#include "ocs/graph/model.h"

namespace ocs {

// Reads an ONNX model with its external data (which is then inside the model). Nodes that stand
// before their producers are moved behind them. Throws Error(bad_input) naming the file, and node
// or tensor, for what is missing, a directory, empty, cut short, not ONNX, without a graph; for a
// cycle, a name that nothing computes or that two nodes write, a tensor whose values are not as
// many as its shape asks for; for NaN in any float tensor or attribute, and for infinity in any but
// those that Where, Clip, Max, Min, Pad and their like take it from (a mask, an open bound).
// Where the external data of its initializers come to `leave_from` bytes or more they are not read in but left where they
// are: the initializers refer to them, and read_tensor finds them. They are checked all the same.
[[nodiscard]] Model read_model(
    const std::filesystem::path& file,
    std::uint64_t leave_from = std::numeric_limits<std::uint64_t>::max());

// What one file of protobuf can hold: 2 GB less one byte.
inline constexpr std::size_t largest_model_file = 0x7FFF'FFFF;

// Deterministic bytes to a new file beside `file`, synced, then renamed over it: never a partial
// file. A model of more than `single_file_limit` bytes has its weights in `file`.data beside it.
// Throws Error(bad_input) naming the path where it cannot be written (full disk, no permission);
// nothing is left behind. Memory: no copy of the weights, one where they go to a file of their own.
void write_model(const Model& model, const std::filesystem::path& file,
                 std::size_t single_file_limit = largest_model_file);

// What stands in a model for a tensor whose bytes are in the file already; a small one as it is.
using KeepTensor = std::function<onnx::TensorProto(onnx::TensorProto)>;

// The same for a model that is larger than memory: `make` hands each large tensor of it, with raw_data, to the function that it
// is given, one at a time, and puts what it gets back into the model instead. The bytes lie in `file`.data in that order,
// behind them what the model still holds or has left in the files that it was read from. Nothing is left behind when
// `make` throws.
void write_model_in_pieces(const std::filesystem::path& file,
                           const std::function<Model(const KeepTensor&)>& make);

}  // namespace ocs
