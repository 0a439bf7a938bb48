#include "ocs/pipeline/fallback.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "ocs/pipeline/worst_layers.h"
#include "ocs/plan/subset.h"

namespace ocs {
namespace {

constexpr double poor_sqnr_db = 15.0;
constexpr double far_below_db = 10.0;
constexpr double least_output_sqnr_db = 12.0;
// Outputs are judged on this many samples while layers are tried.
constexpr std::size_t trial_samples = 4;

std::map<LayerId, std::string> poor_by_themselves(const std::map<LayerId, double>& sqnr_db) {
  std::vector<double> sorted;
  for (const auto& [layer, sqnr] : sqnr_db) sorted.push_back(sqnr);
  if (sorted.empty()) return {};
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double median = *middle;
  std::map<LayerId, std::string> reasons;
  for (const auto& [layer, sqnr] : sqnr_db) {
    if (sqnr >= poor_sqnr_db || sqnr >= median - far_below_db) continue;
    reasons[layer] = fmt::format(
        "back to float: its own signal-to-noise of {:.1f} dB is far below the others' ({:.1f} dB "
        "in the median)",
        sqnr, median);
  }
  return reasons;
}

std::set<LayerId> ids_of(const Plan& plan) {
  std::set<LayerId> ids;
  for (const LayerPlan& layer : plan.layers) ids.insert(layer.id());
  return ids;
}

Plan without(const SensitivityProblem& problem, Plan plan,
             const std::map<LayerId, std::string>& reasons) {
  if (reasons.empty()) return plan;
  std::set<LayerId> stay = ids_of(plan);
  for (const auto& [layer, reason] : reasons) stay.erase(layer);
  Plan rest = with_layers(*problem.model, *problem.recipe, plan, stay);
  for (const LayerPlan& layer : plan.layers)
    if (const auto reason = reasons.find(layer.id()); reason != reasons.end())
      rest.skipped.push_back({.node = layer.node,
                              .part = std::string(layer.operand.part),
                              .op = layer.op,
                              .reason = reason->second,
                              .macs = layer.macs});
  return rest;
}

}  // namespace

Plan take_back_poor_layers(const SensitivityProblem& problem, Plan plan) {
  return without(problem, std::move(plan), poor_by_themselves(problem.measured->layer_sqnr_db));
}

bool has_spoiled_outputs(const Recipe& recipe, const OutputMeasurement& measured) {
  return recipe.weight_bits == 8 && recipe.act_bits.value_or(0) == 8 &&
         measured.worst_sqnr_db < least_output_sqnr_db;
}

Plan rescue_outputs(const SensitivityProblem& problem, const Plan& plan,
                    const OutputMeasurement& measured) {
  SensitivityProblem trial = problem;
  trial.count = std::min(problem.count, trial_samples);
  WorstLayers worst_layers(trial, plan);
  std::vector<LayerGroup> worst;
  const auto without_first = [&](std::size_t groups) {
    std::map<LayerId, std::string> reasons;
    for (const LayerGroup& group : std::span(worst).first(groups))
      for (const LayerPlan& layer : group.layers)
        reasons[layer.id()] = fmt::format(
            "back to float: with all layers quantized an output kept {:.1f} dB only, {} alone "
            "{:.1f} dB",
            measured.worst_sqnr_db,
            group.layers.size() == 1
                ? "with this one"
                : fmt::format("with this one and {} beside it", group.layers.size() - 1),
            group.change.sqnr_db);
    return without(problem, plan, reasons);
  };
  const auto is_enough = [&](std::size_t groups) {
    const Plan rest = without_first(groups);
    return rest.layers.empty() || output_change(trial, rest).sqnr_db >= least_output_sqnr_db;
  };
  // Twice as many layers each time, then halving the step. Where many layers do about the same it is no use to know each of them:
  // a quarter of what has gone goes at once.
  std::size_t too_few = 0;
  std::size_t taken = 0;
  do {
    too_few = worst.size();
    const std::size_t most = std::max<std::size_t>(taken / 4, 1);
    const std::size_t wanted = std::clamp<std::size_t>(2 * taken, 1, plan.layers.size());
    while (taken < wanted) {
      worst.push_back(worst_layers.next(most));
      taken += worst.back().layers.size();
    }
    if (problem.progress)
      problem.progress("taking layers back to float", taken, plan.layers.size());
  } while (!is_enough(worst.size()));
  std::size_t enough = worst.size();
  while (enough - too_few > 1) {
    const std::size_t middle = too_few + (enough - too_few) / 2;
    (is_enough(middle) ? enough : too_few) = middle;
  }
  return without_first(enough);
}

}  // namespace ocs
