#include "ocs/pipeline/sensitivity.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/export/qdq.h"
#include "ocs/plan/subset.h"
#include "ocs/report/class_divergence.h"
#include "ocs/report/signal_to_noise.h"

namespace ocs {
namespace {

constexpr std::size_t bytes_of_kept_inputs = std::size_t{256} << 20;

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

std::size_t bytes_of(const NamedTensors& tensors) {
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : tensors)
    bytes += std::visit([](const auto& values) { return values.size() * sizeof(values[0]); },
                        tensor.values);
  return bytes;
}

// The first samples in memory, as many as fit: decoding a picture may take longer than a run.
Samples kept_in_memory(const Samples& samples, std::size_t count, std::size_t most_bytes) {
  const auto kept = std::make_shared<std::vector<Sample>>();
  std::size_t bytes = 0;
  while (kept->size() < std::min(count, samples.count)) {
    Sample sample = samples.load(kept->size());
    bytes += bytes_of(sample.inputs);
    if (bytes > most_bytes) break;
    kept->push_back(std::move(sample));
  }
  Samples result = samples;
  result.load = [kept, load = samples.load](std::size_t i) {
    return i < kept->size() ? (*kept)[i] : load(i);
  };
  return result;
}

}  // namespace

OutputChange output_change(const SensitivityProblem& problem, const Plan& plan) {
  const Model quantized = write_qdq(*problem.model, plan);
  const std::vector<Port> ports = quantized.outputs();
  const RunModel run =
      (*problem.engine)(quantized, {.intra_op_threads = 1, .borrow_weights = true});
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

std::vector<LayerSensitivity> rank_layers(const SensitivityProblem& problem, const Plan& plan) {
  std::vector<LayerSensitivity> ranked;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (problem.progress) problem.progress("trying layers one by one", i, plan.layers.size());
    const LayerPlan& layer = plan.layers[i];
    Plan alone = with_layers(*problem.model, *problem.recipe, plan, {layer.id()});
    alone.embeddings.clear();
    LayerSensitivity row{.layer = layer.id(),
                         .op = layer.op,
                         .weight_bits = layer.weight_bits,
                         .act_bits = layer.data_bits(),
                         .change = output_change(problem, alone)};
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
  const PlannedNetwork planned = plan_network(std::move(model), &samples, recipe, engine, options);
  Sensitivity result{.samples = std::min(recipe.measure_count, samples.count),
                     .skipped = planned.plan.skipped};
  if (planned.plan.layers.empty()) return result;
  const Samples kept = kept_in_memory(samples, result.samples, bytes_of_kept_inputs);
  const FloatMeasurement measured = measure_layers(planned.prepared.model, planned.plan, kept,
                                                   result.samples, engine, options.progress);
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
