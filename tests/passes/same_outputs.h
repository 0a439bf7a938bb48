// Judges a pass: the model before and behind it, run by ONNX Runtime on the same random inputs.
#pragma once

#include <cstdint>

#include "ocs/core/tensor.h"
#include "ocs/graph/model.h"

namespace ocs {

// Both models with the engine's own optimizations off (and its packing of constant weights, whose
// kernels add up in another order than those for computed weights), the outputs of the same names and shapes,
// and no value further apart than `tolerance` times the largest magnitude of its output (or 1).
// 0: the same bits but for the sign of zero. A free extent of an input becomes `free_extent`.
void expect_same_outputs(const Model& before, const Model& after, double tolerance = 0.0,
                         std::uint64_t seed = 1, std::int64_t free_extent = 2);

// The same for the inputs given.
void expect_same_outputs(const Model& before, const Model& after, double tolerance,
                         const NamedTensors& inputs);

// For passes that reorder or merge float operations: a few roundings of 2^-24 for each of the up to
// some hundred terms of a sum in the models of these tests.
constexpr double float_rounding = 2e-5;

}  // namespace ocs
