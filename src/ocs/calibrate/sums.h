// The inner loops of ChannelMoments: sums and squares of one item per channel, in double and in one
// order for every instruction set. Products of two floats are exact in double, so fused and
// separate multiply-adds agree too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ocs::sums {

// One item seen as [outer, channels, inner], all extents at least 1.
struct Extents {
  std::size_t outer = 1;
  std::size_t channels = 1;
  std::size_t inner = 1;
};

struct ChannelSums {
  std::span<double> sums{};  // one for each channel; written, not added to
  std::span<double> squares{};
  std::span<float> max_abs{};  // means nothing where a value is NaN
};

// The order: value i of each run of `inner` goes to lane i % 8, runs one after the other; then
// ((0+4)+(2+6)) + ((1+5)+(3+7)).
constexpr std::size_t lanes = 8;

void channel_sums(std::span<const float> item, const Extents& extents, const ChannelSums& to);
void channel_sums_scalar(std::span<const float> item, const Extents& extents,
                         const ChannelSums& to);

}  // namespace ocs::sums
