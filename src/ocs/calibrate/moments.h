// Sums of a tensor's values and squares per channel, added up in fixed point so that order and
// batching cannot change them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ocs/calibrate/unblock.h"

namespace ocs {

class ChannelMoments {
 public:
  // `item`: one sample's tensor seen as [outer, channels, inner]. Sums of one item are made in
  // double in a fixed order, then rounded to the fixed-point grid. Throws Error(bad_input) where
  // they leave its range (about 1e21) or a channel count other than before. Values below 1e-8
  // hardly count in sums of squares: the grid ends at 2^-56.
  // `besides` gets the item piece by piece, in order, each right before its sums are made: what it
  // reads is still in the cache then. After it throws, these moments are to be dropped.
  using Besides = std::function<void(std::span<const float> piece)>;
  void add(std::span<const float> item, std::int64_t outer, std::int64_t channels,
           std::int64_t inner, const Besides& besides = {});
  // The same sums of an item that lies in blocks of channels; `besides` gets it in ONNX's order.
  void add(const BlockedItem& item, const Besides& besides = {});
  void merge(const ChannelMoments& other);

  [[nodiscard]] std::int64_t channels() const { return static_cast<std::int64_t>(sums_.size()); }
  [[nodiscard]] std::int64_t count() const { return count_; }      // values added for each channel
  [[nodiscard]] double mean(std::int64_t channel) const;           // E[x_c]; 0 where count() == 0
  [[nodiscard]] double second_moment(std::int64_t channel) const;  // E[x_c^2]
  [[nodiscard]] float max_abs(std::int64_t channel) const;
  bool operator==(const ChannelMoments&) const = default;

  __extension__ using Fixed = __int128;  // value * 2^56
  [[nodiscard]] std::span<const Fixed> sums() const { return sums_; }
  [[nodiscard]] std::span<const Fixed> squares() const { return squares_; }
  [[nodiscard]] std::span<const float> max_abs() const { return max_abs_; }
  static ChannelMoments from_parts(std::int64_t count, std::vector<Fixed> sums,
                                   std::vector<Fixed> squares, std::vector<float> max_abs);

 private:
  struct ItemSums;
  void expect(std::int64_t channels);
  void add(const ItemSums& sums, std::int64_t count);

  std::int64_t count_ = 0;
  std::vector<Fixed> sums_{};
  std::vector<Fixed> squares_{};
  std::vector<float> max_abs_{};
};

}  // namespace ocs
