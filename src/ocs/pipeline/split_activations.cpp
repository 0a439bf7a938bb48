#include "ocs/pipeline/split_activations.h"

#include <algorithm>
#include <iterator>

#include "ocs/calibrate/collect.h"
#include "ocs/core/error.h"
#include "ocs/graph/verify.h"
#include "ocs/passes/prune.h"
#include "ocs/plan/choose_splits.h"

namespace ocs {
namespace {

// Weights that are rounded as they were stored grow as the folded ones did.
void grow_unfolded(const std::map<std::string, ChannelGrowth>& grown, Prepared& prepared) {
  const Graph graph(prepared.model);
  for (const auto& [name, growth] : grown) {
    const auto found = prepared.unfolded.find(name);
    if (found == prepared.unfolded.end()) continue;
    UnfoldedRows& rows = found->second;
    const onnx::NodeProto& node = *graph.node_named(name);
    const LinearOp& op = *find_linear_op(node);
    const Operand operand = std::get<std::vector<Operand>>(op.operands(node, graph)).at(0);
    if (!growth.inputs.empty())
      rows.weight =
          take(rows.weight, op.input_axis(node, operand, rows.weight.shape), growth.inputs);
    if (growth.rows.empty()) continue;
    rows.weight = take(rows.weight, *op.output_axis(node, operand, rows.weight.shape), growth.rows);
    std::vector<float> multiplier;
    for (const std::int64_t row : growth.rows)
      multiplier.push_back(rows.multiplier[static_cast<std::size_t>(row)]);
    rows.multiplier = std::move(multiplier);
  }
}

}  // namespace

SplitActivationsResult split_activations(Prepared& prepared, const CalibrationStats& stats,
                                         const Recipe& recipe, const Samples* samples,
                                         const Engine& engine, const Progress& progress) {
  if (samples == nullptr || samples->count == 0)
    throw_bad_input(
        "act_expand_ratio looks at the data themselves: pass --calib DATA (saved statistics do not "
        "do)");
  Samples calibration = *samples;
  if (recipe.calib_count > 0) calibration.count = std::min(recipe.calib_count, calibration.count);
  SplitActivationsResult result{.stats = stats};
  const std::vector<TensorRequest> requests = split_requests(prepared.model, recipe);
  if (requests.empty()) return result;
  ChosenSplits chosen = choose_splits(
      prepared.model, collect(prepared.model, requests, calibration, engine, progress), recipe);
  result.done.thresholds = std::move(chosen.thresholds);

  SplitChannelsResult split = split_channels(std::move(prepared.model), chosen.splits);
  prepared.model = prune(std::move(split.pass.model)).model;
  verify(prepared.model);
  result.done.grown = std::move(split.grown);
  std::ranges::move(split.pass.notes, std::back_inserter(prepared.notes));
  std::ranges::move(chosen.notes, std::back_inserter(prepared.notes));
  grow_unfolded(result.done.grown, prepared);

  std::vector<TensorRequest> parts;
  for (const TensorRequest& request : requests) {
    const auto found = split.parts_of.find(request.name);
    if (found == split.parts_of.end()) continue;
    parts.push_back({.name = found->second, .channel_axes = request.channel_axes});
    const auto given = result.done.thresholds.extract(request.name);
    if (!given.empty()) result.done.thresholds[found->second] = given.mapped();
  }
  for (const ChannelSplit& whole : chosen.splits)
    if (!whole.threshold) result.halves.emplace_back(whole, split.parts_of.at(whole.value));
  if (parts.empty()) return result;
  CalibrationStats seen = collect(prepared.model, parts, calibration, engine, progress);
  result.stats.tensors.merge(seen.tensors);
  return result;
}

void make_halves_exact(const SplitActivationsResult& split, const Recipe& recipe, const Plan& plan,
                       Prepared& prepared) {
  if (recipe.split == SplitKind::naive) return;
  for (const auto& [whole, parts] : split.halves) {
    const float step = plan.activations.at(parts).params.scale[0];
    prepared.model = shift_halves(std::move(prepared.model), whole, parts, step);
  }
  verify(prepared.model);
}

}  // namespace ocs
