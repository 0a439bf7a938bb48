// The input of a layer as rows that meet its weights: what "im2col" gives, at some of the positions.
#pragma once

#include <cstdint>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"
#include "ocs/quant/channel_matrix.h"

namespace ocs {

// Which output positions of an item are taken: at most `most`, evenly spaced, shifted by `turn` so
// that items with different turns show different positions.
struct PositionChoice {
  std::int64_t most = 512;
  std::uint64_t turn = 0;
};

// Indices in [0, positions), ascending, without repeats.
[[nodiscard]] std::vector<std::int64_t> chosen(std::int64_t positions,
                                               const PositionChoice& choice);

// Inputs of a layer at the chosen output positions: one row a position, inputs() * taps columns of
// one group in the order of ChannelMatrix (input, tap), so that output = row * weights of the output
// channel. Zero where a tap lies in the padding.
struct Patches {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values{};  // row-major
};

// Layers without a window: the channels lie along `axis` of the data (negative counts from the
// end), everything else is a position. Weights with taps (a MatMul with a batch of weights) have no
// such rows: Error(internal).
[[nodiscard]] std::vector<Patches> plain_patches(const ChannelMatrix& weight, int axis,
                                                 const TensorView& data,
                                                 const PositionChoice& choice);

// Conv: data [N, C, spatial...]; one for each group of its channels. Throws Error(bad_input) naming shapes
// that do not fit.
[[nodiscard]] std::vector<Patches> window_patches(const onnx::NodeProto& node,
                                                  const ChannelMatrix& weight,
                                                  const TensorView& data,
                                                  const PositionChoice& choice);

}  // namespace ocs
