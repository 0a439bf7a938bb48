// Channel splitting done literally, on arrays of physical channels: the judge of ocs/split.
#pragma once

#include <cstdint>
#include <vector>

#include "ocs/quant/channel_matrix.h"

namespace ocs {

struct PhysicalChannel {
  int channel = 0;               // the input channel that it is a copy of
  std::vector<float> weights{};  // its weights, ordered by output and tap
};

struct SlowSplit {
  std::vector<int> order{};
  std::vector<PhysicalChannel> channels{};  // duplicates behind the originals
  [[nodiscard]] float max_abs() const;
};

// Halves the physical channel with the largest |w| `splits` times. With `levels_per_unit` = 1 / D
// the halves carry the offsets of the paper, (w - D/2) / 2 in place and (w + D/2) / 2 appended, in
// the float arithmetic of the authors' code: (w / 2 / D -+ 1/4) * D. 0: plain halves.
[[nodiscard]] SlowSplit halve_largest(const ChannelMatrix& weight, int splits,
                                      float levels_per_unit = 0.0F);

// The rounded parts of each weight, clamped to [lowest, highest] and added up: integers of the
// unsplit matrix, by input channel, then output and tap.
[[nodiscard]] std::vector<std::vector<std::int32_t>> rounded_sums(const SlowSplit& split,
                                                                  std::int64_t inputs,
                                                                  float levels_per_unit,
                                                                  std::int32_t lowest,
                                                                  std::int32_t highest);

}  // namespace ocs
