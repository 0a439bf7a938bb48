// Samples that are decoded once and kept, as far as memory allows.
#pragma once

#include <cstdint>

#include "ocs/core/samples.h"

namespace ocs {

// The same samples; those that were loaded are kept until together they take `most_bytes`, the
// others are loaded each time. Loading stays safe for several threads at once.
[[nodiscard]] Samples cached(Samples samples, std::int64_t most_bytes);

}  // namespace ocs
