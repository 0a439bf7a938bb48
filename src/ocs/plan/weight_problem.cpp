#include "ocs/plan/weight_problem.h"

#include "ocs/core/error.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/plan/dynamic_form.h"

namespace ocs {
namespace {

// One value for each row, from a bias that may be stored as a scalar or as [1, N].
std::vector<float> read_bias(const Graph& graph, const Layer& layer, std::int64_t rows) {
  if (layer.bias.empty()) return {};
  const Tensor tensor = read_tensor(graph, layer.bias);
  const auto values = tensor.as<float>();
  if (values.size() == 1) {
    std::vector<float> all(static_cast<std::size_t>(rows), values[0]);
    return all;
  }
  if (static_cast<std::int64_t>(values.size()) != rows)
    throw_bad_input("node '" + layer.node + "': its bias '" + layer.bias +
                    "' does not have one value for each output channel");
  return {values.begin(), values.end()};
}

}  // namespace

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
  // A body may read a value of the main graph, but seldom each time that it is there.
  if (stats != nullptr && !layer.is_in_body && stats->tensors.contains(layer.data))
    problem.data = &stats->tensors.at(layer.data);
  const auto activation = plan.activations.find(layer.data);
  if (quantizes_data(problem.settings, layer) && activation != plan.activations.end())
    problem.activation = &activation->second;
  problem.rounds_as_it_runs = rounds_as_it_runs(problem.settings, layer, graph);
  if (problem.settings.act_scales == ActScales::dynamic && problem.settings.act_bits &&
      !layer.op->is_recurrent)
    problem.float_data = dynamic_refusal(problem.settings, layer, graph);
  return problem;
}

std::string block_refusal(const WeightProblem& problem, const ChannelMatrix& weight) {
  const std::string& op = problem.node->op_type();
  if ((op != "MatMul" && op != "Gemm") || problem.weight.shape.size() != 2)
    return "one scale for each output channel: engines know blocks in MatMul and Gemm";
  if (problem.activation != nullptr)
    return "one scale for each output channel: blocks are for float activations";
  if (!problem.multiplier.empty())
    return "one scale for each output channel: blocks ask for fold_batchnorm";
  if (weight.inputs <= problem.settings.weight_block)
    return "one scale for each output channel: a block would hold all its inputs";
  return "";
}

int storage_bits(const WeightProblem& problem, const ChannelMatrix& weight) {
  const Recipe& settings = problem.settings;
  const bool meets_integers = problem.activation != nullptr || problem.rounds_as_it_runs;
  if (meets_integers || settings.weight_storage == WeightStorage::int8) return 8;
  const bool has_blocks =
      settings.weight_granularity == Granularity::block && block_refusal(problem, weight).empty();
  if (settings.weight_storage == WeightStorage::automatic && !has_blocks) return 8;
  if (settings.weight_bits <= 2) return 2;
  return settings.weight_bits <= 4 ? 4 : 8;
}

namespace {

std::vector<double> estimated_values(const WeightProblem& problem, const ChannelMatrix& weight,
                                     bool squares) {
  if (problem.estimate == nullptr ||
      static_cast<std::int64_t>(problem.estimate->mean.size()) != weight.columns())
    return {};
  std::vector<double> values = problem.estimate->mean;
  if (squares)
    for (std::size_t c = 0; c < values.size(); ++c)
      values[c] = values[c] * values[c] + problem.estimate->variance[c];
  return values;
}

}  // namespace

std::vector<double> channel_values(const WeightProblem& problem, const ChannelMatrix& weight,
                                   bool squares) {
  if (problem.data == nullptr) return estimated_values(problem, weight, squares);
  const int axis = problem.layer->op->data_axis(*problem.node, problem.layer->operand);
  const auto moments = problem.data->moments.find(problem.data->axis_key(axis));
  if (moments == problem.data->moments.end() || moments->second.channels() != weight.columns())
    return {};
  std::vector<double> values(static_cast<std::size_t>(weight.columns()));
  for (std::int64_t c = 0; c < weight.columns(); ++c)
    values[static_cast<std::size_t>(c)] =
        squares ? moments->second.second_moment(c) : moments->second.mean(c);
  return values;
}

}  // namespace ocs
