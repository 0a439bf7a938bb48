// What calibration knows of activations: plain numbers, mergeable, independent of batch size, order
// and thread count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ocs/calibrate/channel_magnitudes.h"
#include "ocs/calibrate/histogram.h"
#include "ocs/calibrate/moments.h"
#include "ocs/calibrate/stats_origin.h"
#include "ocs/core/tensor.h"

namespace ocs {

struct TensorStats {
  Shape shape{};  // of the first item; an extent that varies between items is -1 (merging is
                  // symmetric in it)
  Histogram histogram{};  // signed values; exact minimum, maximum and count inside
  std::map<int, ChannelMoments> moments{};  // by channel axis, counted from 0 (1 for NCHW maps;
                                            // rank - 1 for the input of a MatMul)
  // By channel axis, where asked for; no part of saved statistics.
  std::map<int, ChannelMagnitudes> magnitudes{};
  // The key of `axis` in these maps: a negative axis counts from the end.
  [[nodiscard]] int axis_key(int axis) const {
    return axis < 0 ? axis + static_cast<int>(shape.size()) : axis;
  }
  bool operator==(const TensorStats&) const = default;
};

struct CalibrationStats {
  std::optional<StatsOrigin> origin{};  // where whoever collected them wrote it down
  std::int64_t samples = 0;
  bool synthetic = false;
  std::map<std::string, TensorStats> tensors{};  // by value name
  bool operator==(const CalibrationStats&) const = default;
};

// Records the shape of one more item. Throws Error(bad_input) where the rank is another.
void include_shape(TensorStats& stats, const Shape& shape);

// Adds `part` to `whole`; commutative and associative to the last bit. What has seen no item is
// neutral. Throws Error(bad_input) for other ranks, channel counts, channel axes, or a histogram on
// one side and only a range on the other.
void merge(TensorStats& whole, const TensorStats& part);

// Adds `part` to `whole`; commutative and associative to the last bit. Throws Error(bad_input)
// naming a tensor that only one has or that does not fit, and for origins that do not fit (merge of
// StatsOrigin) or that only one has.
void merge(CalibrationStats& whole, const CalibrationStats& part);

}  // namespace ocs
