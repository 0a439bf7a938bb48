#include "ocs/pipeline/fallback.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

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

Plan without(const SensitivityProblem& problem, const Plan& plan,
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

// Signal-to-noise of the worst output of the network with this plan.
double worst_output(const SensitivityProblem& problem, const Plan& plan) {
  if (plan.layers.empty()) return std::numeric_limits<double>::infinity();
  return output_change(problem, plan).sqnr_db;
}

bool is_eight_bit(const Recipe& recipe) {
  return recipe.weight_bits == 8 && recipe.act_bits.value_or(0) == 8;
}

// As few of the worst layers as bring the outputs to the bound: doubling, then halving the step.
Plan rescue_outputs(const SensitivityProblem& problem, const Plan& plan) {
  const double before = worst_output(problem, plan);
  if (before >= least_output_sqnr_db) return plan;
  const std::vector<LayerSensitivity> ranked = rank_layers(problem, plan);
  const auto first = [&](std::size_t count) {
    std::map<LayerId, std::string> reasons;
    for (std::size_t i = 0; i < count; ++i)
      reasons[ranked[i].layer] = fmt::format(
          "back to float: with all layers quantized an output kept {:.1f} dB only, this layer "
          "alone leaves it {:.1f} dB",
          before, ranked[i].change.sqnr_db);
    return without(problem, plan, reasons);
  };
  std::size_t enough = 1;
  std::size_t too_few = 0;
  while (enough < ranked.size() && worst_output(problem, first(enough)) < least_output_sqnr_db) {
    if (problem.progress) problem.progress("taking layers back to float", enough, ranked.size());
    too_few = enough;
    enough = std::min(enough * 2, ranked.size());
  }
  while (enough - too_few > 1) {
    const std::size_t middle = too_few + (enough - too_few) / 2;
    (worst_output(problem, first(middle)) < least_output_sqnr_db ? too_few : enough) = middle;
  }
  return first(enough);
}

}  // namespace

Plan take_back_spoilers(const SensitivityProblem& problem, Plan plan) {
  plan = without(problem, plan, poor_by_themselves(problem.measured->layer_sqnr_db));
  if (!is_eight_bit(*problem.recipe)) return plan;
  SensitivityProblem trial = problem;
  trial.count = std::min(problem.count, trial_samples);
  return rescue_outputs(trial, plan);
}

}  // namespace ocs
