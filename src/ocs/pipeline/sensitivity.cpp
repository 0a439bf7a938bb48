#include "ocs/pipeline/sensitivity.h"

#include <algorithm>
#include <utility>

#include "ocs/core/cached_samples.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/export/qdq.h"
#include "ocs/pipeline/measure.h"
#include "ocs/plan/subset.h"
#include "ocs/report/class_divergence.h"
#include "ocs/report/signal_to_noise.h"

namespace ocs {
namespace {

constexpr std::int64_t bytes_of_kept_inputs = 256LL << 20;

// Of one sample, or of several.
struct Sums {
  std::vector<SignalToNoise> outputs{};  // in the order of the model's
  std::size_t values = 0;
  ClassDivergence classes{};

  void add(const Sums& other) {
    for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i].add(other.outputs[i]);
    values += other.values;
    classes.add(other.classes);
  }
};

Sums sums_of(const RunModel& run, const std::vector<Port>& ports, const NamedTensors& reference,
             const NamedTensors& inputs) {
  Sums sums{.outputs = std::vector<SignalToNoise>(ports.size())};
  run.run(inputs, [&](std::span<const OutputView> views) {
    for (const OutputView& output : views) {
      const auto port = std::ranges::find(ports, output.name, &Port::name);
      const auto expected = reference.find(std::string(output.name));
      if (port == ports.end() || expected == reference.end() ||
          output.tensor.type != ElementType::float32)
        continue;
      const TensorView wanted = view(expected->second);
      sums.outputs[static_cast<std::size_t>(port - ports.begin())].add(wanted.as<float>(),
                                                                       output.tensor.as<float>());
      sums.values += wanted.as<float>().size();
      if (port == ports.begin())
        sums.classes.add(wanted.shape, wanted.as<float>(), output.tensor.as<float>());
    }
  });
  return sums;
}

OutputChange change_of(const Sums& sums) {
  OutputChange change{.sqnr_db = SignalToNoise::limit_db};
  double noise = 0.0;
  for (const SignalToNoise& output : sums.outputs) {
    // A size that changed is no small loss.
    change.sqnr_db =
        std::min(change.sqnr_db, output.comparable ? output.db() : -SignalToNoise::limit_db);
    noise += output.noise;
    if (output.noise > 0.0) change.relative_error += output.noise / output.signal;
  }
  if (sums.values > 0) change.squared_error = noise / static_cast<double>(sums.values);
  if (sums.classes.rows > 0) change.kl = sums.classes.mean();
  return change;
}

}  // namespace

OutputChange output_change(const SensitivityProblem& problem, const Plan& plan) {
  const Model quantized = write_qdq(*problem.model, plan);
  const std::vector<Port> ports = quantized.outputs();
  const RunModel run = open_for_target(plan.target, quantized, *problem.engine,
                                       {.intra_op_threads = 1, .borrow_weights = true});
  const std::size_t count = std::min(problem.count, problem.measured->outputs.size());
  std::vector<Sums> parts(count);
  parallel_for(count, [&](std::size_t i) {
    const Sample sample = problem.samples->load(i);
    parts[i] = while_doing(sample.name, [&] {
      return sums_of(run, ports, problem.measured->outputs[i], sample.inputs);
    });
  });
  Sums total{.outputs = std::vector<SignalToNoise>(ports.size())};
  for (const Sums& part : parts) total.add(part);
  return change_of(total);
}

OutputChange output_change_by(const SensitivityProblem& problem, const Plan& plan,
                              const std::set<LayerId>& layers) {
  Plan alone = with_layers(*problem.model, *problem.recipe, plan, layers);
  alone.embeddings.clear();
  return output_change(problem, alone);
}

std::vector<LayerSensitivity> rank_layers(const SensitivityProblem& problem, const Plan& plan) {
  std::vector<LayerSensitivity> ranked;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (problem.progress) problem.progress("trying layers one by one", i, plan.layers.size());
    const LayerPlan& layer = plan.layers[i];
    LayerSensitivity row{.layer = layer.id(),
                         .op = layer.op,
                         .weight_bits = layer.weight_bits,
                         .act_bits = layer.data_bits(),
                         .change = output_change_by(problem, plan, {layer.id()})};
    if (const auto own = problem.measured->layer_sqnr_db.find(layer.id());
        own != problem.measured->layer_sqnr_db.end())
      row.own_sqnr_db = own->second;
    ranked.push_back(std::move(row));
  }
  std::ranges::stable_sort(ranked, {},
                           [](const LayerSensitivity& row) { return row.change.sqnr_db; });
  return ranked;
}

Sensitivity measure_sensitivity(Model model, const Samples& samples, const Recipe& recipe,
                                const Engine& engine, const RunOptions& options) {
  if (samples.count == 0 || recipe.measure_count == 0)
    throw_bad_input("the sensitivity of layers is measured on samples, and there are none");
  PlannedNetwork planned = plan_network(std::move(model), &samples, recipe, engine, options);
  Sensitivity result{.samples = std::min(recipe.measure_count, samples.count),
                     .skipped = planned.plan.skipped};
  if (planned.plan.layers.empty()) return result;
  // Decoding a picture may take longer than a run.
  const Samples kept = cached(samples, bytes_of_kept_inputs);
  const FloatMeasurement measured =
      measure_layers(planned.prepared.model, planned.plan, kept, result.samples, engine,
                     options.progress, std::move(planned.outputs));
  const SensitivityProblem problem{.model = &planned.prepared.model,
                                   .recipe = &recipe,
                                   .measured = &measured,
                                   .samples = &kept,
                                   .count = result.samples,
                                   .engine = &engine,
                                   .progress = options.progress};
  result.layers = rank_layers(problem, planned.plan);
  result.together = output_change(problem, planned.plan);
  return result;
}

}  // namespace ocs
