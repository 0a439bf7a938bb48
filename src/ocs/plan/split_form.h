#pragma once

#include "ocs/graph/graph.h"
#include "ocs/plan/plan.h"

namespace ocs {

// Decides for every layer with copies how they get into the graph (docs/splitting.md), and lays
// out rows and inputs accordingly:
//   virtual  the unsplit integers fit their container: nothing is written;
//   fold     the producing layer computes the copied channels again (its rows are appended), where
//   only this layer reads them through
//            channel-wise steps;
//   slice    Concat(x, Slice(x)): the copied channels are made neighbours by permuting the
//   producer's rows, where that is free; gather   Gather of all channels, for any topology.
// Copies of hidden units of a recurrent node are virtual or else fold: no other form exists, the node
// computes them itself, and both of its weights get further rows.
// A form that the recipe asks for and that the graph does not allow becomes gather, with a remark.
// The results are the same to the bit. To be called again where layers or integers have changed: whether integers fit their
// container depends on both.
void choose_split_forms(const Graph& graph, const Recipe& recipe, Plan& plan);

}  // namespace ocs
