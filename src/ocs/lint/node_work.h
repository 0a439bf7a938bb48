#pragma once

#include <cstdint>
#include <optional>

#include "ocs/lint/known_shapes.h"
#include "ocs/lint/working_graph.h"

namespace ocs {

// Multiply-accumulates of a node for one item (the first axis of its data counts once), positions in the padding included: Conv,
// ConvTranspose, MatMul, Gemm and their forms on integers, as the graph stands in the model. Nothing for other operators, and where
// extents are not known.
[[nodiscard]] std::optional<std::int64_t> macs_of(const KnownShapes& shapes, const Step& step);

}  // namespace ocs
