#include "ocs/pipeline/worst_layers.h"

#include <cmath>
#include <limits>
#include <set>

#include "ocs/core/error.h"

namespace ocs {
namespace {

// Noise that is no number is the worst of all.
double badness(const LayerGroup& group) {
  return std::isnan(group.change.relative_error) ? std::numeric_limits<double>::infinity()
                                                 : group.change.relative_error;
}

}  // namespace

bool WorstLayers::LessBad::operator()(const LayerGroup& a, const LayerGroup& b) const {
  // Of equals the first in the graph comes first.
  return badness(a) != badness(b) ? badness(a) < badness(b) : a.layers.data() > b.layers.data();
}

WorstLayers::WorstLayers(const SensitivityProblem& problem, const Plan& plan)
    : problem_(&problem), plan_(&plan) {
  if (!plan.layers.empty()) measure(plan.layers);
}

void WorstLayers::measure(std::span<const LayerPlan> layers) {
  std::set<LayerId> ids;
  for (const LayerPlan& layer : layers) ids.insert(layer.id());
  if (problem_->progress)
    problem_->progress("looking for the worst layers", measurements_, 2 * plan_->layers.size());
  groups_.push({.layers = layers, .change = output_change_by(*problem_, *plan_, ids)});
  ++measurements_;
}

LayerGroup WorstLayers::next(std::size_t most_layers) {
  while (!groups_.empty()) {
    const LayerGroup worst = groups_.top();
    groups_.pop();
    if (worst.layers.size() <= most_layers) return worst;
    const std::size_t half = worst.layers.size() / 2;
    measure(worst.layers.first(half));
    measure(worst.layers.subspan(half));
  }
  throw_internal("all layers of the plan have been given");
}

}  // namespace ocs
