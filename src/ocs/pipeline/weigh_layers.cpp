#include "ocs/pipeline/weigh_layers.h"

#include <cmath>

#include "ocs/core/cached_samples.h"
#include "ocs/plan/make_plan.h"

namespace ocs {
namespace {

constexpr std::int64_t bytes_of_samples = 256LL << 20;

// The same integers of weights without anything that the budget or the activations would change.
Recipe probing(Recipe recipe) {
  recipe.act_bits.reset();
  std::erase_if(recipe.overrides,
                [](const Override& change) { return change.key != "weight_bits"; });
  recipe.mac_budget = recipe.byte_budget = recipe.latency_budget = 0.0;
  recipe.rounding = NearestRounding{};
  recipe.quantize_embeddings = false;
  recipe.bias_correction = false;  // the layers' own errors are measured, means and all
  return recipe;
}

}  // namespace

LayerGains weigh_layers(const Model& model, const Recipe& recipe, const Samples& samples,
                        const Engine& engine, const Progress& progress) {
  const Recipe probe = probing(recipe);
  const Plan plan = make_plan(model, nullptr, probe, {});
  const Samples kept = cached(samples, bytes_of_samples);
  const FloatMeasurement measured = measure_layers(model, plan, kept, kept.count, engine, progress);
  const SensitivityProblem problem{.model = &model,
                                   .recipe = &probe,
                                   .measured = &measured,
                                   .samples = &kept,
                                   .count = kept.count,
                                   .engine = &engine,
                                   .progress = progress};
  LayerGains gains;
  for (const LayerSensitivity& row : rank_layers(problem, plan)) {
    if (!row.own_sqnr_db || !std::isfinite(*row.own_sqnr_db) || !(row.change.relative_error > 0.0))
      continue;
    gains[row.layer] = row.change.relative_error * std::pow(10.0, *row.own_sqnr_db / 10.0);
  }
  return gains;
}

}  // namespace ocs
