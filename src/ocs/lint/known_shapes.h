// Shapes as far as a forecast needs them: how many extents a value has and which of them are fixed.
#pragma once

#include <map>
#include <string>

#include "ocs/core/tensor.h"
#include "ocs/lint/working_graph.h"

namespace ocs {

// Stands for an extent that is fixed but was not worked out (that of a picture behind a Resize).
inline constexpr std::int64_t some_extent = -2;

using KnownShapes = std::map<std::string, Shape, std::less<>>;

// The shape of every value of the graph that can be told, constants and inputs too: stated ones, and those that follow from them through
// the usual operators. -1: free.
[[nodiscard]] KnownShapes known_shapes(const WorkingGraph& graph);
// The same from the shapes of inputs and constants alone: tools leave wrong ones at inner values, and an engine does not mind.
[[nodiscard]] KnownShapes certain_shapes(const WorkingGraph& graph);

}  // namespace ocs
