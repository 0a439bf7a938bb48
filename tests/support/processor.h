// What tests must know of the processor that they run on.
#pragma once

namespace ocs {

// Whether the engine's kernels of uint8 data and int8 weights add two products in 16 bits, as the plainest product there is shows (x86
// without VNNI). Such a processor computes wrongly what is written for others.
[[nodiscard]] bool adds_in_16_bits();

}  // namespace ocs
