#include "ocs/pipeline/fallback.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "ocs/export/qdq.h"
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

Plan without(const FallbackProblem& problem, const Plan& plan,
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
double worst_output(const FallbackProblem& problem, const Plan& plan) {
  if (plan.layers.empty()) return std::numeric_limits<double>::infinity();
  const Model quantized = write_qdq(*problem.model, plan);
  const OutputMeasurement measured = measure_outputs(quantized, *problem.measured, *problem.samples,
                                                     trial_samples, *problem.engine, {});
  double worst = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0;
       i < measured.outputs.size() && i < static_cast<std::size_t>(quantized.graph().output_size());
       ++i)
    worst = std::min(worst, measured.outputs[i].sqnr_db);
  return worst;
}

struct Sensitivity {
  LayerId layer{};
  double sqnr_db = 0.0;  // of the worst output with this layer alone quantized
};

std::vector<Sensitivity> rank_layers(const FallbackProblem& problem, const Plan& plan) {
  std::vector<Sensitivity> ranked;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (problem.progress) problem.progress("trying layers one by one", i, plan.layers.size());
    const LayerId layer = plan.layers[i].id();
    ranked.push_back({.layer = layer,
                      .sqnr_db = worst_output(
                          problem, with_layers(*problem.model, *problem.recipe, plan, {layer}))});
  }
  std::ranges::stable_sort(ranked, {}, &Sensitivity::sqnr_db);
  return ranked;
}

bool is_eight_bit(const Recipe& recipe) {
  return recipe.weight_bits == 8 && recipe.act_bits.value_or(0) == 8;
}

// As few of the worst layers as bring the outputs to the bound: doubling, then halving the step.
Plan rescue_outputs(const FallbackProblem& problem, const Plan& plan) {
  const double before = worst_output(problem, plan);
  if (before >= least_output_sqnr_db) return plan;
  const std::vector<Sensitivity> ranked = rank_layers(problem, plan);
  const auto first = [&](std::size_t count) {
    std::map<LayerId, std::string> reasons;
    for (std::size_t i = 0; i < count; ++i)
      reasons[ranked[i].layer] = fmt::format(
          "back to float: with all layers quantized an output kept {:.1f} dB only, this layer "
          "alone leaves it {:.1f} dB",
          before, ranked[i].sqnr_db);
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

Plan take_back_spoilers(const FallbackProblem& problem, Plan plan) {
  plan = without(problem, plan, poor_by_themselves(problem.measured->layer_sqnr_db));
  return is_eight_bit(*problem.recipe) ? rescue_outputs(problem, plan) : plan;
}

}  // namespace ocs
