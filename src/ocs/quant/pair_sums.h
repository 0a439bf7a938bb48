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

// A depthwise Conv, of one input and one output channel for each group: its kernel multiplies in 16 bits and adds in 32. One with several
// outputs for its input has the kernel of any other.
[[nodiscard]] inline bool adds_pairs(const ChannelMatrix& weight, bool across_taps) {
  const bool is_depthwise = weight.inputs == 1 && weight.outputs == 1;
  return !is_depthwise && (weight.inputs > 1 || (across_taps && weight.taps > 1));
}

// Calls visit(index, index) for the weights of each pair of one row, in the kernel's order: taps, then input channels. `across_taps`: all
// taps are one sum, as in a Conv; else each begins anew (the matrices of a stacked MatMul).
template <typename Visit>
void for_each_pair(const ChannelMatrix& weight, std::int64_t group, std::int64_t output,
                   bool across_taps, Visit&& visit) {
  const std::int64_t length = across_taps ? weight.taps * weight.inputs : weight.inputs;
  const std::int64_t sums = across_taps ? 1 : weight.taps;
  const auto index = [&](std::int64_t k) {
    return weight.index(group, output, k % weight.inputs, k / weight.inputs);
  };
  for (std::int64_t sum = 0; sum < sums; ++sum)
    for (std::int64_t k = sum * length; k + 1 < (sum + 1) * length; k += 2)
      visit(index(k), index(k + 1));
}

}  // namespace ocs
