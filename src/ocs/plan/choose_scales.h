#pragma once

#include <vector>

#include "ocs/quant/grid.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// The scale of all weights, or with `per_row` of each output channel: recipe.weight_clip on the split tensor (docs/splitting.md).
// `copies`: physical channels of each input channel. A row of zeros gets scale 1. All scales are finite and > 0.
// `block` > 0: of each block of that many inputs of each output channel, in the order of ScaleIndex; there are no copies then.
[[nodiscard]] std::vector<float> choose_scales(const Recipe& settings, const ChannelMatrix& weight,
                                               const std::vector<int>& copies, bool per_row,
                                               const Grid& grid, std::int64_t block = 0);

}  // namespace ocs
