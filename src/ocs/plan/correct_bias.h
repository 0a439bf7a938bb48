#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"
#include "ocs/quant/channel_matrix.h"

namespace ocs {

// Share of a Conv's output positions at which each kernel tap reads the map and not its zero
// border, in the order of the taps. All 1 for other operators and unknown extents (-1). `data`:
// shape of the input [N, C, spatial...].
[[nodiscard]] std::vector<double> tap_coverage(const onnx::NodeProto& node, const Shape& data,
                                               std::int64_t taps);

// What rounding took from the mean of each output channel and the bias gives back (Nagel et al.
// 2019, Finkelstein et al. 2019): for each row the sum over inputs and taps of (W - scale * stored) *
// E[x_c] * coverage + scale * stored * drift. `mean_drift`: what layers rounded before this one took
// from the mean of its inputs, columns() * taps values, or empty. `scales`, `block`: as ScaleIndex counts them.
[[nodiscard]] std::vector<double> mean_shift(const ChannelMatrix& weight,
                                             std::span<const std::int16_t> stored,
                                             std::span<const float> scales,
                                             std::span<const double> input_means,
                                             std::span<const double> coverage,
                                             std::span<const double> mean_drift = {},
                                             std::int64_t block = 0);

}  // namespace ocs
