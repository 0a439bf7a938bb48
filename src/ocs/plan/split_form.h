#pragma once

#include <map>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/plan/find_layers.h"
#include "ocs/plan/plan.h"

namespace ocs {

// The layers that make the channels which a layer reads, and make them for it alone through channel-wise steps: the producer, then
// depthwise layers between. They can compute copies too (fold), or permute their rows so that copies are neighbours (slice).
struct CopyPath {
  std::vector<LayerId> grown{};

  [[nodiscard]] bool passes_depthwise() const { return grown.size() > 1; }
};
// By layer; those without such a producer are not in it. Layers are taken as unsplit.
[[nodiscard]] std::map<LayerId, CopyPath> copy_paths(const Graph& graph,
                                                     const std::vector<Layer>& layers);

// Decides for every layer with copies how they get into the graph (docs/splitting.md), and lays
// out rows and inputs accordingly:
//   virtual  the unsplit integers fit their container, and cannot saturate sums of 16 bits where the
//   target may have such: nothing is written;
//   fold     the producing layer computes the copied channels again (its rows are appended), where
//   only this layer reads them through
//            channel-wise steps;
//   slice    Concat(x, Slice(x)): the copied channels are made neighbours by permuting the
//   producer's rows, where that is free; gather   Gather of all channels, for any topology.
// Copies of hidden units of a recurrent node are virtual or else fold: no other form exists, the node
// computes them itself, and both of its weights get further rows.
// `automatic` takes LayerPlan::cheapest_form where that is known and the graph allows it.
// A form that the recipe asks for and that the graph does not allow becomes gather, with a remark.
// The results are the same to the bit. To be called again where layers or integers have changed: whether integers fit their
// container depends on both.
void choose_split_forms(const Graph& graph, const Recipe& recipe, Plan& plan);

}  // namespace ocs
