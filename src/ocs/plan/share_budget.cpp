#include "ocs/plan/share_budget.h"

#include <algorithm>

#include "ocs/core/parallel.h"
#include "ocs/ops/window.h"
#include "ocs/plan/choose_copies.h"

namespace ocs {
namespace {

// How often each weight is used for one item; 1 where nobody knows.
double uses_of_a_weight(const WeightProblem& problem, const ChannelMatrix& weight) {
  if (problem.data == nullptr || problem.data->shape.empty()) return 1.0;
  const Shape& shape = problem.data->shape;
  double uses = 1.0;
  if (problem.node->op_type() == "Conv") {
    for (const WindowAxis& axis : window_axes(*problem.node, shape))
      uses *= static_cast<double>(axis.outputs());
    return std::max(uses, 1.0);
  }
  for (const std::int64_t extent : shape)
    if (extent > 0) uses *= static_cast<double>(extent);
  return std::max(uses / static_cast<double>(weight.columns()), 1.0);
}

double weights_of(const WeightProblem& problem) {
  const Layer& layer = *problem.layer;
  return static_cast<double>(
      layer.op->view(*problem.node, layer.operand, problem.weight.shape, {}).size());
}

// The weight W of the node whose hidden side this is.
const WeightProblem* input_side(const std::vector<WeightProblem>& problems,
                                const WeightProblem& hidden) {
  for (const WeightProblem& problem : problems)
    if (problem.layer->node == hidden.layer->node && !problem.layer->operand.is_hidden())
      return &problem;
  return nullptr;
}

}  // namespace

std::map<LayerId, std::vector<int>> share_budget(const std::vector<WeightProblem>& problems,
                                                 double budget) {
  std::vector<double> prices;
  double total = 0.0;
  for (const WeightProblem& problem : problems) {
    const Layer& layer = *problem.layer;
    const ChannelMatrix weight =
        layer.op->view(*problem.node, layer.operand, problem.weight.shape, {});
    const WeightProblem* inputs =
        layer.operand.is_hidden() ? input_side(problems, problem) : nullptr;
    const double uses = uses_of_a_weight(inputs == nullptr ? problem : *inputs, weight);
    total += weights_of(problem) * uses;
    // A hidden unit that is copied has rows of its own in both weights, besides its column.
    const double grown =
        inputs == nullptr ? weights_of(problem) : 2.0 * weights_of(problem) + weights_of(*inputs);
    prices.push_back(grown * uses / static_cast<double>(weight.columns()));
  }
  std::vector<std::vector<CopyOffer>> offers(problems.size());
  parallel_for(problems.size(), [&](std::size_t i) {
    offers[i] = copy_offers(problems[i], prices[i], budget * total);
  });
  const std::vector<std::size_t> chosen = spend(offers, budget * total);
  std::map<LayerId, std::vector<int>> copies;
  for (std::size_t i = 0; i < problems.size(); ++i)
    if (chosen[i] > 0) copies[problems[i].layer->id()] = offers[i][chosen[i]].copies;
  return copies;
}

}  // namespace ocs
