#include "ocs/calibrate/channel_magnitudes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "ocs/core/error.h"

namespace ocs {
namespace {

// The exponent and the first four bits of the fraction: 16 bins an octave without a logarithm.
constexpr int dropped_bits = 19;
static_assert((1 << (23 - dropped_bits)) == ChannelMagnitudes::bins_per_octave);

std::int64_t bin_number(float value) {
  return std::bit_cast<std::uint32_t>(std::fabs(value)) >> dropped_bits;
}

float lower_edge(std::int64_t number) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(number) << dropped_bits);
}

}  // namespace

void ChannelMagnitudes::include_channels(std::int64_t channels) {
  if (channels_ == 0) {
    channels_ = channels;
    counts_.assign(static_cast<std::size_t>(channels * bins), 0);
  }
  if (channels_ != channels)
    throw_bad_input("has " + std::to_string(channels) + " channels here and " +
                    std::to_string(channels_) + " before");
}

// Moves the window up to `top`; what falls out below is too small to count.
void ChannelMagnitudes::raise_window(std::int64_t top) {
  if (top <= top_) return;
  const std::int64_t shift = std::min<std::int64_t>(top - top_, bins);
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto row = counts_.begin() + c * bins;
    std::fill(std::shift_left(row, row + bins, shift), row + bins, 0);
  }
  top_ = top;
}

void ChannelMagnitudes::add(std::span<const float> item, std::int64_t outer, std::int64_t channels,
                            std::int64_t inner) {
  include_channels(channels);
  float largest = 0.0F;
  for (const float value : item) largest = std::max(largest, std::fabs(value));
  raise_window(bin_number(largest));
  const std::int64_t lowest = top_ - bins + 1;
  std::size_t at = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t c = 0; c < channels; ++c) {
      std::int64_t* row = counts_.data() + c * bins;
      for (std::int64_t i = 0; i < inner; ++i, ++at) {
        const std::int64_t bin = bin_number(item[at]) - lowest;
        if (bin >= 0 && item[at] != 0.0F) ++row[bin];
      }
    }
  }
  total_ += static_cast<std::int64_t>(item.size());
}

void ChannelMagnitudes::merge(const ChannelMagnitudes& other) {
  if (other.channels_ == 0) return;
  include_channels(other.channels_);
  raise_window(other.top_);
  const std::int64_t shift = top_ - other.top_;  // other's bins lie this much lower
  for (std::int64_t c = 0; c < channels_; ++c)
    for (std::int64_t bin = shift; bin < bins; ++bin)
      counts_[static_cast<std::size_t>(c * bins + bin - shift)] +=
          other.counts_[static_cast<std::size_t>(c * bins + bin)];
  total_ += other.total_;
}

std::vector<float> ChannelMagnitudes::centres() const {
  std::vector<float> centres(bins);
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    const std::int64_t number = top_ - bins + 1 + bin;
    centres[static_cast<std::size_t>(bin)] =
        0.5F * lower_edge(number) + 0.5F * lower_edge(number + 1);
  }
  return centres;
}

}  // namespace ocs
