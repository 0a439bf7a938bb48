// Tables behind Gather: integers in the file and in memory, floats for what is looked up alone.
#pragma once

#include <map>
#include <string>

#include <onnx/onnx_pb.h>

#include "ocs/graph/graph.h"
#include "ocs/plan/plan.h"

namespace ocs {

// The integers of a table as they are written. With 8 bits int8, in the shape of the float table. Below, uint8 [entries, channels /
// n], n = 8 / bits: integer plus 2^(bits - 1), channel p * channels / n + j in bits [p * bits, (p + 1) * bits) of byte j, so that what
// is looked up falls into n runs of neighbouring channels. (Engines have no Gather for int4.)
[[nodiscard]] onnx::TensorProto stored_table(const EmbeddingPlan& plan, const Shape& table);

// y = Gather(table, ids) becomes, with q = Gather(table_quantized, ids), unpacked where several integers share a byte, and
// s = Gather(table_scale, ids),
//
//   one scale               y = DequantizeLinear(q)
//   a scale for each entry  y = Cast(q) * s                             (in every opset)
//   blocks                  y = DequantizeLinear(q, s) {block_size}     (opset 21)
//
// `nodes`: those of `out`, by name; the Gather keeps its place and name, nodes are added at the end. Gathers that share a table and
// agree on its integers share them.
void write_embeddings(const Graph& graph, const Plan& plan, Model& out,
                      const std::map<std::string, onnx::NodeProto*>& nodes);

}  // namespace ocs
