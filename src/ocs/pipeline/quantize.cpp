#include "ocs/pipeline/quantize.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/shard.h"
#include "ocs/core/version.h"
#include "ocs/costs/cost_table_json.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/export/qdq.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/verify.h"
#include "ocs/passes/fix_extents.h"
#include "ocs/pipeline/equalize_channels.h"
#include "ocs/pipeline/fallback.h"
#include "ocs/pipeline/keep_weights.h"
#include "ocs/pipeline/measure.h"
#include "ocs/pipeline/round_with_energies.h"
#include "ocs/pipeline/settle.h"
#include "ocs/pipeline/split_activations.h"
#include "ocs/pipeline/unmeasured_samples.h"
#include "ocs/pipeline/weigh_layers.h"
#include "ocs/plan/choose_splits.h"
#include "ocs/plan/proofs.h"
#include "ocs/plan/smoothing_points.h"
#include "ocs/plan/statistics.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/report/layer_reports.h"
#include "ocs/report/proof_summary.h"

namespace ocs {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool needs_bins(const Clip& clip) {
  return !std::holds_alternative<MaxClip>(clip) && !std::holds_alternative<RatioClip>(clip);
}

bool needs_histograms(const Recipe& recipe) {
  return needs_bins(recipe.act_clip) ||
         std::ranges::any_of(recipe.overrides, [](const Override& change) {
           return change.key == "act_clip" && needs_bins(parse_clip(change.value));
         });
}

// Multiply-accumulates and activations of one item, from the shapes that were seen.
void count_costs(const Model& model, const std::map<std::string, Shape>& shapes, Plan& plan) {
  const Graph graph(model);
  for (LayerPlan& layer : plan.layers) {
    const onnx::NodeProto& node = *graph.node_named(layer.node);
    const auto result = shapes.find(result_of(node));
    if (result == shapes.end()) continue;
    const LinearOp& op = *find_linear_op(node);
    const auto of_one_item = [&](Shape shape) {
      if (!shape.empty() && (layer.op == "Conv" || layer.op == "ConvTranspose")) shape[0] = 1;
      return shape;
    };
    const std::int64_t macs =
        op.macs(node, op.view(node, layer.operand, shape_of(*graph.initializer(layer.weight)), {}),
                of_one_item(result->second));
    layer.macs = std::llround(static_cast<double>(macs) / layer.act_growth);
    const auto data =
        layer.operand.is_hidden() ? result : shapes.find(data_of(node, layer.operand));
    if (data == shapes.end()) continue;
    const auto activations = static_cast<double>(element_count(of_one_item(data->second)));
    layer.activations = std::llround(activations / layer.data_growth);
  }
}

void fill_layers(const Plan& plan, const Model& model, const FloatMeasurement& measured,
                 Report& report) {
  report.layers = layer_reports(plan, model);
  for (LayerReport& layer : report.layers) {
    const auto sqnr = measured.layer_sqnr_db.find({.node = layer.node, .part = layer.part});
    if (sqnr != measured.layer_sqnr_db.end()) layer.sqnr_db = sqnr->second;
    report.macs_before += layer.macs;
    report.macs_after += layer.macs + layer.extra_macs;
  }
  std::ranges::copy(plan.notes, std::back_inserter(report.notes));
}

bool is_smoothed(const Model& prepared, const Recipe& recipe) {
  return recipe.smooth && recipe.fold_batchnorm && can_smooth(prepared, recipe);
}

[[noreturn]] void throw_takes_no_saved_statistics(const Recipe& recipe) {
  throw_bad_input(fmt::format(
      "{}: statistics are neither saved nor do saved ones do, since they hold for "
      "one choice of scales: pass --calib DATA{}",
      recipe.equalize ? "equalize" : "smooth", recipe.equalize ? "" : ", or --no-smooth"));
}

// Proofs of what is going to be written, with a remark for each layer that was repaired for them.
void fill_proofs(const Plan& plan, const Model& model, Report& report) {
  const std::vector<LayerProof> proofs = prove(model, plan);
  if (proofs.empty()) return;
  report.proofs = summarize(proofs, plan);
  for (const LayerProof& proof : proofs) {
    if (!proof.holds)
      throw_internal("node '" + proof.layer.node + "': its int32 sums could overflow");
    const auto layer = std::ranges::find(plan.layers, proof.layer, &LayerPlan::id);
    const auto row = std::ranges::find_if(report.layers, [&](const LayerReport& each) {
      return each.node == proof.layer.node && each.part == proof.layer.part;
    });
    const std::string remark = proof_remark(layer->raised, proof.dead_rows);
    if (row == report.layers.end() || remark.empty()) continue;
    row->reason += (row->reason.empty() ? "" : "; ") + remark;
  }
}

void stamp(Model& model, const Recipe& recipe, bool synthetic) {
  model.proto().set_producer_name("onnx-ocs");
  model.proto().set_producer_version(std::string(version()));
  model.set_metadata("ocs.recipe", to_json(recipe).dump());
  model.set_metadata("ocs.version", std::string(version()));
  if (synthetic) model.set_metadata("ocs.calibration", "synthetic");
}

// Behind measuring: samples may differ in their extents.
void fix_inputs(Model& model, const Samples* samples, Report& report) {
  const std::vector<Port> inputs = model.inputs();
  const bool are_fixed = std::ranges::none_of(inputs, [](const Port& input) {
    return std::ranges::find(input.shape, -1) != input.shape.end();
  });
  if (are_fixed) return;
  if (samples == nullptr || samples->count == 0) {
    report.notes.push_back(
        {.text = "the target takes no free extents: without data the inputs keep theirs"});
    return;
  }
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : samples->load(0).inputs) shapes[name] = tensor.shape;
  PassResult fixed = fix_extents(std::move(model), shapes);
  model = std::move(fixed.model);
  verify(model);
  std::ranges::move(fixed.notes, std::back_inserter(report.notes));
}

// What the layers weigh in the budget of copies; empty: all alike.
LayerGains gains_for_budget(Prepared& prepared, const Recipe& recipe, const Samples* samples,
                            const Engine& engine, const Progress& progress) {
  const std::size_t count = samples_for_budget(recipe);
  if (count == 0) return {};
  if (samples == nullptr) {
    prepared.notes.push_back(
        {.text = "budget_samples: no data to weigh the layers on, all count alike"});
    return {};
  }
  return weigh_layers(prepared.model, recipe, unmeasured_samples(*samples, recipe, count), engine,
                      progress);
}

const CostTable* cost_table_of(const Recipe& recipe, const RunOptions& options) {
  const CostTable* costs = options.costs == nullptr ? &default_costs() : options.costs;
  if (!recipe.cost_table.empty() && recipe.cost_table != hash_of(*costs))
    throw_bad_input("cost_table: the recipe was made with another cost table, whose hash is " +
                    recipe.cost_table + ": pass that by --costs FILE");
  return costs;
}

// What is known before anything is measured or written.
Report report_of_planning(PlannedNetwork& planned, const Recipe& recipe) {
  Report report;
  report.recipe = recipe;
  report.ocs_version = version();
  report.engine_version = onnx_runtime_version();
  report.notes = std::move(planned.prepared.notes);
  report.calibration_samples = planned.calibration_samples;
  report.calibration_seconds = planned.calibration_seconds;
  report.synthetic = planned.synthetic;
  return report;
}

}  // namespace

bool takes_saved_statistics(const Recipe& recipe) { return !recipe.equalize; }

bool takes_saved_statistics(const Recipe& recipe, const Model& prepared) {
  return takes_saved_statistics(recipe) && !is_smoothed(prepared, recipe);
}

Collected collect_statistics(const Model& prepared, const Samples& samples, const Recipe& recipe,
                             const Engine& engine, const RunOptions& options, KeptOutputs* kept) {
  std::vector<TensorRequest> requests = statistics_requests(
      prepared, options.keep_stats || target_form(recipe.target).quantizes_results);
  for (TensorRequest& request : requests)
    request.histogram = options.keep_stats || needs_histograms(recipe);
  Collected collected;
  SettledRanges ranges(recipe);
  Settled settled;
  if (recipe.calib_settle > 0.0)
    settled = [&](const CalibrationStats& so_far) {
      return collected.ended_early = ranges(so_far);
    };
  collected.stats = collect(prepared, requests, first_samples(samples, recipe.calib_count), engine,
                            options.progress, settled, kept);
  return collected;
}

CalibrationStats statistics_of(Model model, const Samples& samples, const Recipe& recipe,
                               const Engine& engine, const Progress& progress) {
  check(recipe);
  const Prepared prepared = prepare(std::move(model), recipe, {});
  if (!takes_saved_statistics(recipe, prepared.model)) throw_takes_no_saved_statistics(recipe);
  if (recipe.calib_settle > 0.0)
    throw_bad_input(
        "calib_settle: whether ranges have settled is known of all samples together, not of a "
        "part");
  return collect_statistics(prepared.model, samples, recipe, engine,
                            {.progress = progress, .keep_stats = true})
      .stats;
}

PlannedNetwork plan_network(Model model, const Samples* samples, const Recipe& recipe,
                            const Engine& engine, const RunOptions& options) {
  check(recipe);
  PlannedNetwork planned{.prepared = prepare(std::move(model), recipe, options.observe)};
  Prepared& prepared = planned.prepared;
  const bool smooths = is_smoothed(prepared.model, recipe);
  const bool takes_saved = takes_saved_statistics(recipe, prepared.model);
  if (!takes_saved &&
      (options.keep_stats || (options.saved_stats != nullptr && samples == nullptr)))
    throw_takes_no_saved_statistics(recipe);
  if (recipe.equalize || (smooths && samples != nullptr)) {
    // Before the calibration: it must see the scaled activations.
    equalize_channels(prepared, samples, recipe, engine, options.progress);
    if (options.observe) options.observe("equalize_channels", prepared.model);
  }

  const CalibrationStats* stats = takes_saved ? options.saved_stats : nullptr;
  if (stats == nullptr && samples != nullptr) {
    const auto start = std::chrono::steady_clock::now();
    if (recipe.measure_count > 0)
      planned.outputs = {.names = compared_values(prepared.model), .count = recipe.measure_count};
    Collected collected =
        collect_statistics(prepared.model, *samples, recipe, engine, options, &planned.outputs);
    planned.stats = std::move(collected.stats);
    stats = &planned.stats;
    if (collected.ended_early)
      prepared.notes.push_back(
          {.text = fmt::format("calibration ended after {} samples: over the last {} no range of "
                               "an activation moved by more than {:g} of its length",
                               stats->samples, settle_round, recipe.calib_settle)});
    planned.calibration_seconds = seconds_since(start);
  }
  if (stats != nullptr) {
    planned.calibration_samples = stats->samples;
    planned.synthetic = stats->synthetic;
  }

  SplitActivationsResult split;
  if (splits_activations(recipe) && stats != nullptr) {
    split = split_activations(prepared, *stats, recipe, samples, engine, options.progress);
    stats = &split.stats;
    if (options.observe) options.observe("split_activations", prepared.model);
  }
  Foreknowledge known{
      .split = split.done, .normals = prepared.normals, .costs = cost_table_of(recipe, options)};
  known.gains = gains_for_budget(prepared, recipe, samples, engine, options.progress);
  PlanObserver observer;
  if (options.keep) {
    if (samples != nullptr || !can_keep_weights(recipe))
      throw_internal("weights cannot be kept in a file: this run needs them in memory");
    observer = keep_weights(prepared.model, options.keep);
  }
  planned.plan = make_plan(prepared.model, stats, recipe, prepared.unfolded, known, observer);
  if (!split.halves.empty()) make_halves_exact(split, recipe, planned.plan, prepared);
  // After the plan: scales and copies are decided by then, and only the integers and the bias change.
  round_with_energies(prepared.model, stats, recipe, prepared.unfolded, samples, engine,
                      options.progress, planned.plan, options.journal);
  return planned;
}

Quantized quantize(Model model, const Samples* samples, const Recipe& recipe, const Engine& engine,
                   const RunOptions& options) {
  PlannedNetwork planned = plan_network(std::move(model), samples, recipe, engine, options);
  Prepared& prepared = planned.prepared;
  Plan& plan = planned.plan;
  Quantized result{.report = report_of_planning(planned, recipe),
                   .stats = std::move(planned.stats)};
  Report& report = result.report;

  FloatMeasurement measured;
  const bool can_measure =
      samples != nullptr && samples->count > 0 && recipe.measure_count > 0 && !plan.layers.empty();
  const SensitivityProblem problem{.model = &prepared.model,
                                   .recipe = &recipe,
                                   .measured = &measured,
                                   .samples = samples,
                                   .count = recipe.measure_count,
                                   .engine = &engine,
                                   .progress = options.progress};
  if (can_measure) {
    measured = measure_layers(prepared.model, plan, *samples, recipe.measure_count, engine,
                              options.progress, std::move(planned.outputs));
    count_costs(prepared.model, measured.shapes, plan);
    if (recipe.fallback) plan = take_back_poor_layers(problem, std::move(plan));
  }
  OutputMeasurement outputs;
  const auto write = [&] {
    if (plan.layers.empty() && plan.embeddings.empty()) return;
    result.model = write_qdq(prepared.model, plan);
    if (can_measure)
      outputs = measure_outputs(result.model, plan.target, measured, *samples, recipe.measure_count,
                                engine, options.progress);
  };
  write();
  if (can_measure && recipe.fallback && has_spoiled_outputs(recipe, outputs)) {
    plan = rescue_outputs(problem, plan, outputs);
    write();
  }
  fill_layers(plan, prepared.model, measured, report);
  fill_proofs(plan, prepared.model, report);
  prepared.model = Model();  // the float weights are done with
  if (plan.layers.empty() && plan.embeddings.empty()) {
    result.unchanged = true;
    return result;
  }
  if (can_measure) {
    report.outputs = std::move(outputs.outputs);
    report.agreement_percent = outputs.agreement_percent;
    report.measured_samples = measured.outputs.size();
  }
  verify(result.model);
  stamp(result.model, recipe, report.synthetic);
  if (options.observe) options.observe("write_qdq", result.model);
  if (!plan.target.takes_free_extents) {
    fix_inputs(result.model, samples, report);
    if (options.observe) options.observe("fix_extents", result.model);
  }
  if (!options.keep_stats) result.stats = {};
  return result;
}

}  // namespace ocs
