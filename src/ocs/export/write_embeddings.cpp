#include "ocs/export/write_embeddings.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ocs/graph/edit.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

// What is written for one plan; later ones may share it.
struct Written {
  const EmbeddingPlan* plan = nullptr;
  std::string table{};
  std::string scale{};
  std::string zero_point{};
};

bool are_same(const EmbeddingPlan& a, const EmbeddingPlan& b) {
  return a.weight == b.weight && a.params == b.params && a.stored == b.stored && a.kept == b.kept;
}

Written write_table(const Graph& graph, const EmbeddingPlan& plan, Model& out) {
  const std::string& name = plan.weight;
  const Shape shape = shape_of(*graph.initializer(name));
  return {.plan = &plan,
          .table = add_initializer(out, name + "_table",
                                   plan.kept != nullptr
                                       ? *plan.kept
                                       : to_proto({.shape = shape, .values = plan.stored}, "")),
          .scale = add_initializer(out, name + "_table_scale", {.values = plan.params.scale}),
          .zero_point = add_initializer(out, name + "_table_zero_point",
                                        {.values = std::vector<std::int8_t>{0}})};
}

}  // namespace

void write_embeddings(const Graph& graph, const Plan& plan, Model& out,
                      const std::map<std::string, onnx::NodeProto*>& nodes) {
  std::vector<Written> tables;
  for (const EmbeddingPlan& embedding : plan.embeddings) {
    auto same = std::ranges::find_if(
        tables, [&](const Written& written) { return are_same(*written.plan, embedding); });
    if (same == tables.end())
      same = tables.insert(tables.end(), write_table(graph, embedding, out));
    onnx::NodeProto& node = *nodes.at(embedding.node);
    const std::string value = node.output(0);
    const std::string levels = out.unique_name(value + "_levels");
    node.set_input(0, same->table);
    node.set_output(0, levels);
    add_node(out, "DequantizeLinear", value + "_DequantizeLinear",
             {levels, same->scale, same->zero_point}, {value});
  }
}

}  // namespace ocs
