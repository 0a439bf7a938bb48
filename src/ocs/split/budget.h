// One budget of copies for a whole network (docs/splitting.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ocs/quant/channel_matrix.h"

namespace ocs {

// A weight with copies, rounded to nearest: what its error does to the output.
struct CopyError {
  ChannelMatrix weight{};                // float
  std::span<const double> importance{};  // h_c of each input channel: columns() values, >= 0
  std::vector<int> copies{};             // m_c, columns() values, >= 1
  std::vector<float> scales{};           // one, or one for each row
  std::int32_t highest = 127;            // N of the grid
};

// sum over weights of h_c (w - D clamp(round(w / D), -m_c N, m_c N))^2.
[[nodiscard]] double output_error(const CopyError& state);

// Adds `count` copies one by one, at the scales as they are, always of the channel where one more takes off most of output_error; ties
// go to the lower channel.
void add_copies(CopyError& state, int count);

// What a layer can have.
struct CopyOffer {
  std::vector<int> copies{};  // physical channels of each input channel
  double error = 0.0;
  double cost = 0.0;
};

// Picks one offer of each layer, from the first on (cost 0): again and again the change to a later offer that takes off most error for
// its cost and still fits, so that the sum of costs is at most `budget`. Gives the index of each layer's offer; 0 for a layer without.
// Ties go to the earlier layer.
[[nodiscard]] std::vector<std::size_t> spend(const std::vector<std::vector<CopyOffer>>& layers,
                                             double budget);

}  // namespace ocs
