// Integer kernels of x86 processors without VNNI multiply uint8 by int8 and add the products of two neighbouring inputs in 16 bits,
// saturating (VPMADDUBSW). Weights whose neighbours add up to more than 32767 / 255 = 128 can lose there what no emulation shows.
// Measured in ONNX Runtime 1.32 on such a processor, ResNet-20: 14 dB at the logits instead of 30.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ocs/quant/channel_matrix.h"

namespace ocs {

struct SaturationProblem {
  ChannelMatrix weight{};
  std::span<const int> copies{};  // of each input channel; empty: one each
  bool across_taps = true;        // all taps are one sum; not in a stacked MatMul
  std::int32_t highest = 127;     // N of the weights' grid
  std::int32_t highest_level =
      255;  // of the activations: largest unsigned value that the kernel sees
};

// Whether any two weights could saturate at all; false for narrow grids on either side.
[[nodiscard]] bool can_saturate(const SaturationProblem& problem);

// Scales (one, or one for each row) raised where pairs would saturate: by as much as makes the squared error of rounding and of limiting
// the pairs that are left smallest. Rows without such pairs keep theirs.
[[nodiscard]] std::vector<float> scales_against_saturation(const SaturationProblem& problem,
                                                           std::span<const float> scales);

// Lowers the integers of the pairs that could still saturate. `stored`: of the unsplit matrix, in its layout. Pairs are neighbours in
// the kernel's order (taps, then input channels); with copies, whose places are not known yet, any two of one tap, and of all taps where
// the inputs of a group become odd in number.
void limit_pairs(const SaturationProblem& problem, std::span<std::int16_t> stored);

// Whether limit_pairs would lower any of these integers.
[[nodiscard]] bool any_pair_saturates(const SaturationProblem& problem,
                                      std::span<const std::int16_t> stored);

}  // namespace ocs
