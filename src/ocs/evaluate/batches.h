// Several samples in one run: what a model does with a batch, where that is another thing than what it does with each item.
#pragma once

#include <cstddef>

#include "ocs/core/samples.h"

namespace ocs {

// `size` consecutive samples as one, inputs and labels joined along the first axis; the last one may be smaller. Expected
// outputs are left out. `size` >= 1; 1 gives the samples as they are. Loading throws Error(bad_input) naming sample and
// input where shapes (but for the first extent), types or names of inputs differ, or an input has no first axis.
[[nodiscard]] Samples in_batches(Samples samples, std::size_t size);

}  // namespace ocs
