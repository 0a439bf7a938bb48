#pragma once

#include <map>
#include <string>

#include "ocs/graph/graph.h"
#include "ocs/plan/plan.h"

namespace ocs {

//   y = Gather(table, ids)      becomes      y = DequantizeLinear(Gather(table_quantized, ids))
//
// so that the table stays as small in memory as it is in the file. `nodes`: those of `out`, by name;
// the Gather keeps its place and name, nodes are added at the end. Gathers that share a table and
// agree on its integers share them.
void write_embeddings(const Graph& graph, const Plan& plan, Model& out,
                      const std::map<std::string, onnx::NodeProto*>& nodes);

}  // namespace ocs
