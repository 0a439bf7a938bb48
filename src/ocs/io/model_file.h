// Models and files. The only place that reads or writes ONNX files.
#pragma once

#include <cstddef>
#include <filesystem>

#include "ocs/core/write_file.h"  // what write_model writes with; for any other bytes
#include "ocs/graph/model.h"

namespace ocs {

// Reads an ONNX model with its external data (which is then inside the model). Nodes that stand
// before their producers are moved behind them. Throws Error(bad_input) naming the file, and node
// or tensor, for what is missing, a directory, empty, cut short, not ONNX, without a graph; for a
// cycle, a name that nothing computes or that two nodes write, a tensor whose values are not as
// many as its shape asks for; for NaN in any float tensor or attribute, and for infinity in any but
// those that Where, Clip, Max, Min, Pad and their like take it from (a mask, an open bound).
[[nodiscard]] Model read_model(const std::filesystem::path& file);

// What one file of protobuf can hold: 2 GB less one byte.
inline constexpr std::size_t largest_model_file = 0x7FFF'FFFF;

// Deterministic bytes to a new file beside `file`, synced, then renamed over it: never a partial
// file. A model of more than `single_file_limit` bytes has its weights in `file`.data beside it.
// Throws Error(bad_input) naming the path where it cannot be written (full disk, no permission);
// nothing is left behind. Memory: no copy of the weights, one where they go to a file of their own.
void write_model(const Model& model, const std::filesystem::path& file,
                 std::size_t single_file_limit = largest_model_file);

}  // namespace ocs
