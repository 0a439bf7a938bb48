#include "ocs/plan/make_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/costs/cost_table_json.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/batches.h"
#include "ocs/plan/engine_gemm.h"
#include "ocs/plan/estimate_channels.h"
#include "ocs/plan/find_layers.h"
#include "ocs/plan/plan_activations.h"
#include "ocs/plan/plan_embeddings.h"
#include "ocs/plan/recurrent_form.h"
#include "ocs/plan/regions.h"
#include "ocs/plan/share_budget.h"
#include "ocs/plan/split_form.h"
#include "ocs/plan/weight_problem.h"
#include "ocs/split/select.h"

namespace ocs {
namespace {

// What a layer gained before it was planned.
void note_growth(const ChannelGrowth& growth, LayerPlan& layer) {
  const auto grown_by = [](const std::vector<std::int64_t>& sources) {
    if (sources.empty()) return 1.0;
    return static_cast<double>(sources.size()) /
           static_cast<double>(*std::ranges::max_element(sources) + 1);
  };
  layer.data_growth = grown_by(growth.inputs);
  layer.act_growth = layer.data_growth * grown_by(growth.rows);
  if (growth.inputs.empty()) return;
  layer.act_copies = static_cast<std::int64_t>(growth.inputs.size()) -
                     (*std::ranges::max_element(growth.inputs) + 1);
  layer.remark += fmt::format("{}{} channels of its data are split",
                              layer.remark.empty() ? "" : "; ", layer.act_copies);
}

// The oracle's share in a layer: splits as choose_splits would allow them.
DynamicSplit dynamic_split(const Graph& graph, const Layer& layer, const Recipe& settings) {
  const onnx::NodeProto& node = *graph.node_named(layer.node);
  const ChannelMatrix matrix =
      layer.op->view(node, layer.operand, shape_of(*graph.initializer(layer.weight)), {});
  const bool is_image = layer.position.first && matrix.columns() <= 4 && !settings.split_first;
  const bool is_left = layer.op->data_axis(node, layer.operand) == -2;
  DynamicSplit split{
      .bits = *settings.act_bits, .channels = matrix.columns(), .kind = settings.split};
  if (matrix.groups == 1 && !is_image && !is_left)
    split.copies = std::min<std::int64_t>(matrix.columns(),
                                          split_count(settings.act_expand_ratio, matrix.columns()));
  return split;
}

// Where estimates have the channels. A MatMul has them on its last axis, whose place depends on a rank that nobody knows without data.
bool reads_channels_of_axis_1(const WeightProblem& problem) {
  return problem.node->op_type() == "Gemm" ||
         problem.layer->op->data_axis(*problem.node, problem.layer->operand) == 1;
}

CopyPrices copy_prices(const Graph& graph, const std::vector<WeightProblem>& problems,
                       const Recipe& recipe, const CostTable& costs) {
  if (recipe.latency_budget > 0.0) return time_prices(graph, problems, costs);
  return recipe.byte_budget > 0.0 ? byte_prices(problems) : mac_prices(problems);
}

std::int64_t copies_of(const LayerPlan& layer) {
  std::int64_t count = 0;
  for (const int copies : layer.copies) count += copies - 1;
  return count;
}

}  // namespace

Plan make_plan(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
               const std::map<std::string, UnfoldedRows>& unfolded, const Foreknowledge& known,
               const PlanObserver& observer) {
  const SplitActivations& split = known.split;
  const CostTable& costs = known.costs == nullptr ? default_costs() : *known.costs;
  const Graph graph(model);
  FoundLayers found = find_layers(graph, recipe);
  Plan plan{.skipped = std::move(found.skipped), .target = target_form(recipe.target)};

  std::vector<Layer> integer_layers;
  std::map<LayerId, DynamicSplit> dynamic;
  for (const Layer& layer : found.layers) {
    const Recipe settings = recipe_for(recipe, layer.node, layer.position);
    if (!quantizes_data(settings, layer)) continue;
    if (recipe.act_split == ActSplit::oracle && !layer.op->is_recurrent)
      dynamic[layer.id()] = dynamic_split(graph, layer, settings);
    else
      integer_layers.push_back(layer);
  }
  if (!integer_layers.empty()) {
    if (stats == nullptr)
      throw_bad_input(
          "activations are quantized, so calibration data or saved statistics are needed");
    const Regions regions =
        find_regions(graph, integer_layers, recipe.act_scope, plan.target.quantizes_results);
    plan.notes = regions.notes;
    if (recipe.target != Recipe{}.target)
      plan.notes.push_back({.text = fmt::format("written for {}", plan.target.engine)});
    plan.float_values = regions.float_values;
    plan.integer_steps = regions.integer_steps;
    plan.activations =
        plan_activations(graph, regions, integer_layers, *stats, recipe, split.thresholds);
  }

  // After the activations: the scale of a layer's input bounds the scales of its weights (int32
  // bias).
  const auto estimates = stats == nullptr ? estimate_channels(graph, known.normals)
                                          : std::map<std::string, ChannelEstimate>();
  const std::map<LayerId, CopyPath> paths = copy_paths(graph, found.layers);
  const auto problem_of = [&](const Layer& layer) {
    return while_doing("node '" + layer.node + "'", [&] {
      WeightProblem problem = weight_problem(graph, layer, stats, plan, recipe, unfolded);
      problem.costs = &costs;
      const auto path = paths.find(layer.id());
      problem.is_behind_depthwise = path != paths.end() && path->second.passes_depthwise();
      if (const auto estimate = estimates.find(layer.data);
          estimate != estimates.end() && !layer.is_in_body && reads_channels_of_axis_1(problem))
        problem.estimate = &estimate->second;
      return problem;
    });
  };
  const auto all_problems = [&] {
    std::vector<WeightProblem> problems;
    for (const Layer& layer : found.layers) problems.push_back(problem_of(layer));
    return problems;
  };
  std::map<LayerId, std::vector<int>> copies;
  if (copy_budget(recipe) > 0.0) {
    const std::vector<WeightProblem> problems = all_problems();
    copies = share_budget(problems, copy_prices(graph, problems, recipe, costs),
                          copy_budget(recipe), known.gains);
  }
  plan.layers.resize(found.layers.size());
  const auto weights_of = [&](std::size_t i) {
    return element_count(*graph.initializer(found.layers[i].weight));
  };
  const auto batches = observer.layers ? batches_of(plan.layers.size(), weights_of)
                                       : std::vector<std::size_t>{0, plan.layers.size()};
  for (std::size_t batch = 0; batch + 1 < batches.size(); ++batch) {
    const std::size_t first = batches[batch];
    const auto planned = std::span(plan.layers).subspan(first, batches[batch + 1] - first);
    parallel_for(planned.size(), [&](std::size_t i) {
      const Layer& layer = found.layers[first + i];
      WeightProblem problem = problem_of(layer);
      if (const auto shared = copies.find(layer.id()); shared != copies.end())
        problem.copies = shared->second;
      planned[i] = while_doing("node '" + layer.node + "'", [&] { return plan_weights(problem); });
    });
    if (observer.layers) observer.layers(planned);
  }
  for (LayerPlan& layer : plan.layers)
    if (const auto split_of = dynamic.find(layer.id()); split_of != dynamic.end()) {
      layer.dynamic = split_of->second;
      layer.act_copies = split_of->second.copies;
    }
  for (LayerPlan& layer : plan.layers)
    if (const auto growth = split.grown.find(layer.node); growth != split.grown.end())
      note_growth(growth->second, layer);

  plan_embeddings(graph, recipe, observer, plan);

  choose_recurrent_forms(recipe, plan);
  mark_engine_gemms(model, plan);

  std::vector<std::int64_t> counts;
  for (const LayerPlan& layer : plan.layers) counts.push_back(copies_of(layer));
  if (std::ranges::any_of(counts, [](std::int64_t count) { return count > 0; })) {
    const std::vector<SplitForm> forms = cheapest_forms(graph, all_problems(), counts, costs);
    for (std::size_t i = 0; i < plan.layers.size(); ++i) plan.layers[i].cheapest_form = forms[i];
  }
  // Last: how copies are written depends on the neighbours' plans, and changes no value.
  choose_split_forms(graph, recipe, plan);
  return plan;
}

}  // namespace ocs
