#include "ocs/plan/round_with_data.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/find_layers.h"
#include "ocs/plan/remark.h"
#include "ocs/plan/weight_problem.h"

namespace ocs {
namespace {

// Second moments of 8192 columns are 256 MB, and factored once more as much.
constexpr std::int64_t largest_side = 8192;

// Why this layer cannot be rounded with the data, "" where it can.
std::string refusal(const EnergyRequest& request, const LayerPlan& layer) {
  if (layer.is_in_body) return "rounded to nearest: nobody sees the data in a body";
  if (request.op->patches == nullptr)
    return fmt::format("rounded to nearest: no second moments of the inputs of a {}", layer.op);
  if (layer.op == "MatMul" && request.weight.taps > 1)
    return "rounded to nearest: no second moments for a batch of weights";
  if (request.side() > largest_side)
    return fmt::format("rounded to nearest: second moments of {} inputs are too large",
                       request.side());
  return "";
}

}  // namespace

std::vector<DataRounding> find_data_roundings(const Model& model, const Recipe& recipe,
                                              Plan& plan) {
  if (!needs_energy(recipe.rounding)) return {};
  const Graph graph(model);
  std::vector<DataRounding> found;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    LayerPlan& layer = plan.layers[i];
    const onnx::NodeProto& node = *graph.node_named(layer.node);
    EnergyRequest request{.node = layer.node,
                          .op = find_linear_op(node),
                          .operand = layer.operand,
                          .centred = recipe.bias_correction};
    request.weight =
        request.op->view(node, layer.operand, shape_of(*graph.initializer(layer.weight)), {});
    if (const std::string reason = refusal(request, layer); reason.empty())
      found.push_back({.layer = i, .request = std::move(request)});
    else
      add_remark(layer, reason);
  }
  return found;
}

void round_with_data(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
                     const std::map<std::string, UnfoldedRows>& unfolded,
                     const DataRounding& rounding, const InputEnergy& energy, Plan& plan) {
  const Graph graph(model);
  LayerPlan& old = plan.layers[rounding.layer];
  const std::vector<Layer> layers = find_all_layers(graph).layers;
  const auto layer = std::ranges::find(layers, old.id(), &Layer::id);
  if (layer == layers.end()) throw_internal("no layer '" + old.node + "'");
  WeightProblem problem = weight_problem(graph, *layer, stats, plan, recipe, unfolded);
  problem.copies = old.copies;
  problem.energy = energy.moments;
  problem.drift = energy.drift;
  problem.mean_drift = energy.mean_drift;
  LayerPlan again = plan_weights(problem);
  old.params = std::move(again.params);
  old.stored = std::move(again.stored);
  old.residual = std::move(again.residual);
  old.bias = std::move(again.bias);
  old.raised = again.raised;
  old.predicted_sqnr_db = again.predicted_sqnr_db;
}

}  // namespace ocs
