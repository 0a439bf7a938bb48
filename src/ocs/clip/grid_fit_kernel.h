// Vector code of grid_fit, chosen by instruction set when the program runs. Only grid_fit.cpp
// includes this; grid_fit_kernel.cpp is compiled once for each instruction set.
#pragma once

#include <cstddef>
#include <span>

#include "ocs/clip/grid_fit.h"

namespace ocs {

// Value i adds to partial sum i % 16 of its block; the partial sums of a block are added to the
// total in order. Registers of 4, 8 or 16 floats make the same sums.
constexpr std::size_t partial_sums = 16;
constexpr std::size_t block_values = 1024;  // so that a float sums 64 terms at most

[[nodiscard]] GridFit vector_grid_fit(std::span<const float> values, std::span<const float> counts,
                                      float per_step, LevelRange levels);

}  // namespace ocs
