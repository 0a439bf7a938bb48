// Which input channels are split, and how a split weight is rounded (paper sections 3.2-3.4,
// docs/splitting.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ocs/quant/channel_matrix.h"
#include "ocs/quant/row_blocks.h"

namespace ocs {

enum class SplitKind {
  quantization_aware,  // parts whose rounded values add up to the rounded whole: no rounding error
                       // of their own
  naive,               // equal parts rounded one by one
};
enum class SplitParts {
  equal,    // m copies carry 1/m each
  halving,  // the paper: one copy is halved at a time, a half can be halved again (1/2, 1/4, 1/4)
};

struct Split {
  std::vector<int> order{};    // input channel of each split, in the order of the splits
  std::vector<int> copies{};   // physical channels of each input channel, at least 1; columns()
                               // entries
  float max_abs_after = 0.0F;  // largest magnitude of a physical weight after the splits
};

// The largest |w| of every input channel: columns() entries, column = group * inputs + input.
[[nodiscard]] std::vector<float> column_max_abs(const ChannelMatrix& weight);

// Splits one channel at a time, always the one that holds the largest physical |w| now; ties go to
// the lowest physical index (halving: duplicates are appended behind the originals). `splits` >= 0.
// Only for matrices with groups == 1: Error(internal). O(size + splits * log(inputs + splits)).
[[nodiscard]] Split select_largest(const ChannelMatrix& weight, int splits, SplitParts parts);

// Paper: ceil(ratio * inputs) splits. A product that misses a whole number by the rounding of the
// decimal ratio alone (0.07 * 100 = 7.000000000000001) counts as that number. ratio >= 0.
[[nodiscard]] int split_count(double ratio, std::int64_t inputs);

// Share of the original weight that each of `copies` physical channels of one input channel
// carries, in physical order; adds up to 1 (equal parts: but for rounding).
[[nodiscard]] std::vector<float> shares(int copies, SplitParts parts);

// All physical weights of the split matrix (for clip thresholds "on the split tensor"): the order
// is free, the size is that of the split matrix. `copies`: columns() entries, or empty for 1 each.
[[nodiscard]] std::vector<float> physical_weights(const ChannelMatrix& weight,
                                                  std::span<const int> copies, SplitParts parts);
// The same of each output channel of a block by itself, ordered by input, tap, copy.
[[nodiscard]] std::vector<std::vector<float>> physical_rows(const ChannelMatrix& weight,
                                                            std::span<const int> copies,
                                                            SplitParts parts,
                                                            const RowBlock& block);

// The integer that the copies of one weight add up to: each copy is rounded (or,
// quantization-aware, cut out of the rounded whole by floor) and clamped to [-highest, highest];
// the sum is what an unsplit weight would store. |sum| <= copies * highest.
[[nodiscard]] std::int32_t rounded_sum(float weight, float scale, std::int32_t highest, int copies,
                                       SplitKind kind, SplitParts parts);

}  // namespace ocs
