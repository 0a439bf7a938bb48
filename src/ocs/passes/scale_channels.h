#pragma once

#include <span>

#include "ocs/graph/pass_result.h"
#include "ocs/passes/scalable_channels.h"

namespace ocs {

// Multiplies channels by `factors` (positive, one for each class) and divides the
// columns that read them by the same: rows and bias of the producer, constants that are added on the
// way. Equal but for rounding, as long as no Clip of channels.bounds is reached that was not reached before, or the
// other way round. New tensors are new initializers; `prune` drops the old ones. Throws
// Error(internal) where model and channels do not fit. Notes: none.
[[nodiscard]] PassResult scale_channels(Model model, const ScalableChannels& channels,
                                        std::span<const double> factors);

}  // namespace ocs
