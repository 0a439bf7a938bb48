// Sums of two products in 16 bits, as integer kernels of x86 processors without VNNI make them (VPMADDUBSW): which pairs of weights can
// saturate there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "ocs/quant/channel_matrix.h"

namespace ocs {

// What two weights of one sign may add up to, for activations of up to `highest_level`.
[[nodiscard]] constexpr std::int32_t pair_limit(std::int32_t highest_level) {
  constexpr std::int32_t largest_sum = 32767;
  return largest_sum / highest_level;
}

// By how much a pair is over the limit; products of different signs cannot saturate.
[[nodiscard]] inline std::int32_t pair_excess(std::int32_t a, std::int32_t b, std::int32_t limit) {
  if ((a > 0) != (b > 0) || a == 0 || b == 0) return 0;
  return std::max(0, std::abs(a) + std::abs(b) - limit);
}

// A depthwise Conv, of one input and one output channel for each group: its kernel multiplies in 16 bits and adds in 32. One with several
// outputs for its input has the kernel of any other.
[[nodiscard]] inline bool adds_pairs(const ChannelMatrix& weight, bool across_taps) {
  const bool is_depthwise = weight.inputs == 1 && weight.outputs == 1;
  return !is_depthwise && (weight.inputs > 1 || (across_taps && weight.taps > 1));
}

// Indices of one row's weights in the kernel's order: taps, then input channels. `places` has room for all of them.
inline void kernel_order(const ChannelMatrix& weight, std::int64_t group, std::int64_t output,
                         std::span<std::size_t> places) {
  auto place = places.begin();
  for (std::int64_t tap = 0; tap < weight.taps; ++tap)
    for (std::int64_t i = 0; i < weight.inputs; ++i) *place++ = weight.index(group, output, i, tap);
}

// Calls visit(k, k + 1) for the pairs of a row of `count` weights in that order. `length` of them are one sum: all of them in a Conv, the
// inputs in a stacked MatMul, each of whose matrices begins anew.
template <typename Visit>
void for_each_pair(std::size_t count, std::size_t length, Visit&& visit) {
  for (std::size_t first = 0; first < count; first += length)
    for (std::size_t k = first; k + 1 < first + length; k += 2) visit(k, k + 1);
}

}  // namespace ocs
