#include "ocs/plan/make_plan.h"

#include <algorithm>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/find_layers.h"
#include "ocs/plan/plan_activations.h"
#include "ocs/plan/plan_weights.h"
#include "ocs/plan/regions.h"
#include "ocs/plan/split_form.h"

namespace ocs {
namespace {

Tensor read_tensor(const Graph& graph, const std::string& name) {
  const onnx::TensorProto* proto = graph.initializer(name);
  if (proto == nullptr) throw_internal("no initializer '" + name + "'");
  return to_tensor(*proto, graph.model().file().parent_path());
}

// One value for each row, from a bias that may be stored as a scalar or as [1, N].
std::vector<float> read_bias(const Graph& graph, const Layer& layer, std::int64_t rows) {
  if (layer.bias.empty()) return {};
  const Tensor tensor = read_tensor(graph, layer.bias);
  const auto values = tensor.as<float>();
  if (values.size() == 1) return std::vector<float>(static_cast<std::size_t>(rows), values[0]);
  if (static_cast<std::int64_t>(values.size()) != rows)
    throw_bad_input("node '" + layer.node + "': its bias '" + layer.bias +
                    "' does not have one value for each output channel");
  return {values.begin(), values.end()};
}

WeightProblem weight_problem(const Graph& graph, const Layer& layer, const CalibrationStats* stats,
                             const Plan& plan, const Recipe& recipe,
                             const std::map<std::string, UnfoldedRows>& unfolded) {
  WeightProblem problem{.layer = &layer,
                        .node = graph.node_named(layer.node),
                        .weight = read_tensor(graph, layer.weight),
                        .settings = recipe_for(recipe, layer.node, layer.position)};
  const ChannelMatrix matrix = layer.op->view(*problem.node, layer.operand, problem.weight.shape,
                                              problem.weight.as<float>());
  problem.bias = read_bias(graph, layer, matrix.rows());
  if (const auto rows = unfolded.find(layer.node);
      rows != unfolded.end() && !problem.settings.fold_batchnorm) {
    problem.unfolded = rows->second.weight;
    problem.multiplier = rows->second.multiplier;
  }
  if (stats != nullptr && stats->tensors.contains(layer.data))
    problem.data = &stats->tensors.at(layer.data);
  const auto activation = plan.activations.find(layer.data);
  if (problem.settings.act_bits && activation != plan.activations.end())
    problem.activation = &activation->second;
  return problem;
}

}  // namespace

Plan make_plan(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
               const std::map<std::string, UnfoldedRows>& unfolded) {
  const Graph graph(model);
  FoundLayers found = find_layers(graph, recipe);
  Plan plan{.skipped = std::move(found.skipped)};

  std::vector<Layer> integer_layers;
  for (const Layer& layer : found.layers)
    if (recipe_for(recipe, layer.node, layer.position).act_bits) integer_layers.push_back(layer);
  if (!integer_layers.empty()) {
    if (stats == nullptr)
      throw_bad_input(
          "activations are quantized, so calibration data or saved statistics are needed");
    const Regions regions = find_regions(graph, integer_layers, recipe.act_scope);
    plan.notes = regions.notes;
    plan.activations = plan_activations(graph, regions, integer_layers, *stats, recipe);
  }

  // After the activations: the scale of a layer's input bounds the scales of its weights (int32
  // bias).
  std::vector<LayerPlan> layers(found.layers.size());
  parallel_for(layers.size(), [&](std::size_t i) {
    const Layer& layer = found.layers[i];
    layers[i] = while_doing("node '" + layer.node + "'", [&] {
      return plan_weights(weight_problem(graph, layer, stats, plan, recipe, unfolded));
    });
  });
  plan.layers = std::move(layers);

  // Last: how copies are written depends on the neighbours' plans, and changes no value.
  choose_split_forms(graph, recipe, plan);
  return plan;
}

}  // namespace ocs
