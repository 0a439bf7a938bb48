// How often each channel of a tensor takes which magnitude: what the choice of the channels to split
// looks at (docs/activation_splitting.md). Fixed memory a channel; the same for any order, batching
// and merging.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ocs {

class ChannelMagnitudes {
 public:
  static constexpr int bins_per_octave = 16;  // of equal width inside an octave
  static constexpr int bins = 12 * bins_per_octave;

  // `item`: one sample's tensor seen as [outer, channels, inner], finite values. Throws
  // Error(bad_input) for a channel count other than before.
  void add(std::span<const float> item, std::int64_t outer, std::int64_t channels,
           std::int64_t inner);
  // Throws Error(bad_input) for another channel count.
  void merge(const ChannelMagnitudes& other);

  [[nodiscard]] std::int64_t channels() const { return channels_; }
  // Values added in all channels, with zeros and those too small for a bin (below 1/4096 of the
  // largest bin).
  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] std::vector<float> centres() const;  // of the bins, ascending
  // channels() x bins, row-major.
  [[nodiscard]] std::span<const std::int64_t> counts() const { return counts_; }
  bool operator==(const ChannelMagnitudes&) const = default;

 private:
  void include_channels(std::int64_t channels);
  void raise_window(std::int64_t top);

  std::int64_t channels_ = 0;
  std::int64_t total_ = 0;
  std::int64_t top_ = bins - 1;  // number of the last bin: the leading bits of its magnitudes
  std::vector<std::int64_t> counts_{};
};

}  // namespace ocs
