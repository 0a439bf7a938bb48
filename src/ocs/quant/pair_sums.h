// Sums of two products in 16 bits, as integer kernels of x86 processors without VNNI make them (VPMADDUBSW): which pairs of weights can
// saturate there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

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

// A depthwise Conv has one input channel: its kernel multiplies in 16 bits and adds in 32.
[[nodiscard]] inline bool adds_pairs(const ChannelMatrix& weight) { return weight.inputs > 1; }

// Calls visit(index, index) for the weights of each pair of one row, in the kernel's order: taps, then input channels.
template <typename Visit>
void for_each_pair(const ChannelMatrix& weight, std::int64_t group, std::int64_t output,
                   Visit&& visit) {
  const std::int64_t length = weight.taps * weight.inputs;
  const auto index = [&](std::int64_t k) {
    return weight.index(group, output, k % weight.inputs, k / weight.inputs);
  };
  for (std::int64_t k = 0; k + 1 < length; k += 2) visit(index(k), index(k + 1));
}

}  // namespace ocs
