#include "ocs/plan/plan_embeddings.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ocs/core/parallel.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/batches.h"
#include "ocs/quant/affine.h"

namespace ocs {
namespace {

bool is_embedding(const Graph& graph, const onnx::NodeProto& node) {
  if (node.op_type() != "Gather" || !in_default_domain(node) || node.input_size() != 2)
    return false;
  const onnx::TensorProto* table = graph.initializer(node.input(0));
  return table != nullptr && table->data_type() == onnx::TensorProto::FLOAT &&
         table->dims_size() >= 2 && element_count(*table) > 0 &&
         graph.initializer(node.input(1)) == nullptr;
}

EmbeddingPlan plan_embedding(const Graph& graph, const onnx::NodeProto& node,
                             const Recipe& settings) {
  const Tensor table = read_tensor(graph, node.input(0));
  const auto values = table.as<float>();
  const Grid grid{.bits = settings.weight_bits};
  const float limit = threshold(settings.weight_clip, clip_input(values, grid));
  float step = limit / static_cast<float>(grid.steps());
  if (step < std::numeric_limits<float>::min()) step = 1.0F;  // a table of zeros
  EmbeddingPlan plan{.node = node.name(),
                     .weight = node.input(0),
                     .params = {.grid = grid, .scale = {step}, .zero_point = {0}}};
  plan.stored.reserve(values.size());
  double signal = 0.0;
  double noise = 0.0;
  for (const float value : values) {
    const std::int32_t level = quantize(value, step, 0, -grid.highest(), grid.highest());
    plan.stored.push_back(static_cast<std::int8_t>(level));
    const auto real = static_cast<double>(value);
    const double error = real - static_cast<double>(dequantize(level, step, 0));
    signal += real * real;
    noise += error * error;
  }
  plan.predicted_sqnr_db =
      noise == 0.0 ? std::numeric_limits<double>::infinity() : 10.0 * std::log10(signal / noise);
  return plan;
}

}  // namespace

std::vector<std::string> find_embeddings(const Graph& graph) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < graph.node_count(); ++i)
    if (is_embedding(graph, graph.node(i))) found.push_back(graph.node(i).name());
  return found;
}

void plan_embeddings(const Graph& graph, const Recipe& recipe, const PlanObserver& observer,
                     Plan& plan) {
  if (!recipe.quantize_embeddings) return;
  std::vector<std::string> nodes;
  for (const std::string& name : find_embeddings(graph)) {
    const auto kept = std::ranges::find_if(
        recipe.keep_float, [&](const std::string& pattern) { return matches(pattern, name, {}); });
    if (kept == recipe.keep_float.end())
      nodes.push_back(name);
    else
      plan.skipped.push_back(
          {.node = name, .op = "Gather", .reason = "kept float by the pattern '" + *kept + "'"});
  }
  plan.embeddings.resize(nodes.size());
  const auto entries_of = [&](std::size_t i) {
    return element_count(*graph.initializer(graph.node_named(nodes[i])->input(0)));
  };
  const auto batches = observer.embeddings ? batches_of(nodes.size(), entries_of)
                                           : std::vector<std::size_t>{0, nodes.size()};
  for (std::size_t batch = 0; batch + 1 < batches.size(); ++batch) {
    const std::size_t first = batches[batch];
    const auto planned = std::span(plan.embeddings).subspan(first, batches[batch + 1] - first);
    parallel_for(planned.size(), [&](std::size_t i) {
      const std::string& node = nodes[first + i];
      planned[i] = plan_embedding(graph, *graph.node_named(node), recipe_for(recipe, node, {}));
    });
    if (observer.embeddings) observer.embeddings(planned);
  }
}

}  // namespace ocs
