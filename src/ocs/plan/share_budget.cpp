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

}  // namespace

std::map<LayerId, std::vector<int>> share_budget(const std::vector<WeightProblem>& problems,
                                                 double budget,
                                                 const std::map<LayerId, double>& weights) {
  std::vector<double> prices;
  double total = 0.0;
  for (const WeightProblem& problem : problems) {
    const Layer& layer = *problem.layer;
    const ChannelMatrix weight =
        layer.op->view(*problem.node, layer.operand, problem.weight.shape, {});
    const double macs = static_cast<double>(weight.size()) * uses_of_a_weight(problem, weight);
    total += macs;
    prices.push_back(macs / static_cast<double>(weight.columns()));
  }
  std::vector<std::vector<CopyOffer>> offers(problems.size());
  parallel_for(problems.size(), [&](std::size_t i) {
    offers[i] = copy_offers(problems[i], prices[i], budget * total);
    if (const auto weight = weights.find(problems[i].layer->id()); weight != weights.end())
      for (CopyOffer& offer : offers[i]) offer.error *= weight->second;
  });
  const std::vector<std::size_t> chosen = spend(offers, budget * total);
  std::map<LayerId, std::vector<int>> copies;
  for (std::size_t i = 0; i < problems.size(); ++i)
    if (chosen[i] > 0) copies[problems[i].layer->id()] = offers[i][chosen[i]].copies;
  return copies;
}

}  // namespace ocs
