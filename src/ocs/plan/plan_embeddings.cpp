#include "ocs/plan/plan_embeddings.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ocs/core/parallel.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/batches.h"
#include "ocs/plan/choose_scales.h"
#include "ocs/quant/scale_index.h"
#include "ocs/round/round.h"

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

// Entries with scales of their own are looked up as their scales are: along the first of two axes.
bool has_entries(const onnx::NodeProto& node, const Shape& table) {
  const std::int64_t axis = int_attribute(node, "axis", 0);
  return table.size() == 2 && (axis == 0 || axis == -2);
}

int storage_bits(const Recipe& settings, bool has_blocks, std::int64_t channels) {
  if (settings.weight_storage == WeightStorage::int8) return 8;
  if (settings.weight_storage == WeightStorage::automatic && !has_blocks) return 8;
  if (settings.weight_bits > 4) return 8;
  const int bits = settings.weight_bits <= 2 ? 2 : 4;
  return channels % (8 / bits) == 0 ? bits : 8;
}

double sqnr_db(const ChannelMatrix& table, const EmbeddingPlan& plan) {
  const ScaleIndex scale_of(table, plan.params.scale.size(), plan.params.block);
  double signal = 0.0;
  double noise = 0.0;
  for_each_weight(table, [&](std::int64_t row, std::int64_t column, std::size_t at) {
    const auto real = static_cast<double>(table.data[at]);
    const double error =
        real - static_cast<double>(plan.params.scale[scale_of(row, column)]) * plan.stored[at];
    signal += real * real;
    noise += error * error;
  });
  return noise == 0.0 ? std::numeric_limits<double>::infinity() : 10.0 * std::log10(signal / noise);
}

EmbeddingPlan plan_embedding(const Graph& graph, const onnx::NodeProto& node,
                             const Recipe& settings) {
  const Tensor table = read_tensor(graph, node.input(0));
  const auto values = table.as<float>();
  const std::int64_t channels = static_cast<std::int64_t>(values.size()) / table.shape[0];
  const ChannelMatrix matrix = dense_view(values, 1, table.shape[0], channels, 1);
  const Grid grid{.bits = settings.weight_bits};
  const bool by_entry =
      settings.weight_granularity != Granularity::tensor && has_entries(node, table.shape);
  const bool has_blocks = by_entry && settings.weight_granularity == Granularity::block &&
                          channels > settings.weight_block;

  EmbeddingPlan plan{.node = node.name(), .weight = node.input(0), .params = {.grid = grid}};
  if (by_entry) plan.params.axis = 0;
  if (has_blocks) plan.params.block = settings.weight_block;
  if (has_entries(node, table.shape))
    plan.storage_bits = storage_bits(settings, has_blocks, channels);
  std::vector<float> scales =
      choose_scales(settings, matrix, std::vector<int>(static_cast<std::size_t>(channels), 1),
                    by_entry, grid, plan.params.block);
  for (float& scale : scales)
    if (scale < std::numeric_limits<float>::min()) scale = 1.0F;  // of next to nothing
  const Rounded rounded = round_weights(
      NearestRounding{},
      {.weight = matrix, .scales = scales, .block = plan.params.block, .highest = grid.highest()});
  plan.params.zero_point.assign(scales.size(), 0);
  plan.params.scale = std::move(scales);
  plan.stored.reserve(values.size());
  for (const std::int16_t level : rounded.stored)
    plan.stored.push_back(static_cast<std::int8_t>(level));
  plan.predicted_sqnr_db = sqnr_db(matrix, plan);
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
