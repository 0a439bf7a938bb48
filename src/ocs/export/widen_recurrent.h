// Copies of hidden units: a recurrent node with more of them (docs/adr/0013).
#pragma once

#include "ocs/graph/graph.h"
#include "ocs/plan/plan.h"

namespace ocs {

// Makes room in `node` (a copy in `out` of an LSTM, GRU or RNN of `graph`) for the hidden units of
// `hidden`, the plan of its R with copies written (hidden.inputs: old units, originals first): a
// larger hidden_size; rows of W where it is still the float initializer of `graph`, biases and
// peepholes repeated; initial states through a Gather where they are computed; every output cut back
// by a Slice, so that its name holds what it held. Quantized weights are left as they are: their plans
// have the rows. Adds nodes at the end of `place`, the graph of `out` that holds the node.
void widen_recurrent(const Graph& graph, Model& out, onnx::GraphProto& place, onnx::NodeProto& node,
                     const LayerPlan& hidden);

}  // namespace ocs
