// Copies of hidden units of LSTM, GRU and RNN (docs/adr/0013).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ocs {

// Whatever a recurrent node holds for each hidden unit lies in blocks of `hidden` entries, one a gate
// (and direction, and half of the bias): rows of W and R, biases, peepholes, states (one block). Gives
// the index of every entry of an axis of `extent` once the units are `units` (old units, a copy
// repeats one): block g of the result holds units.size() entries. Throws Error(internal) where `extent`
// is no multiple of `hidden`.
[[nodiscard]] std::vector<std::int64_t> repeat_units(std::int64_t extent, std::size_t hidden,
                                                     const std::vector<std::int64_t>& units);

}  // namespace ocs
