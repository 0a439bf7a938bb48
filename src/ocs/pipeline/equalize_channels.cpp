#include "ocs/pipeline/equalize_channels.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ocs/calibrate/collect.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/verify.h"
#include "ocs/passes/gains.h"
#include "ocs/passes/prune.h"
#include "ocs/passes/scale_channels.h"
#include "ocs/plan/choose_factors.h"
#include "ocs/plan/smoothing_points.h"

namespace ocs {
namespace {

// Below it a Mul takes more time than the noise is worth: 1 dB is a fifth of it.
constexpr double least_gain_db = 1.0;

// Gains that are not worth a Mul; their factors become 1. Notes tell of the others.
std::set<std::string> take_out_idle(const Model& model, const std::vector<std::string>& nodes,
                                    const ScalableChannels& channels, ChosenFactors& chosen) {
  const Graph graph(model);
  std::set<std::string> idle;
  for (const std::string& name : nodes) {
    const onnx::NodeProto& node = *graph.node_named(name);
    const std::string& value = node.output(0);
    const auto gain = chosen.gain_db.find(value);
    const double gain_db = gain == chosen.gain_db.end() ? 0.0 : gain->second;
    if (gain_db >= least_gain_db) {
      chosen.notes.push_back(
          {.node = name,
           .text = fmt::format("channels of '{}' are smoothed by a Mul: the noise of rounding "
                               "them is predicted to fall by {:.1f} dB",
                               node.input(0), gain_db)});
      continue;
    }
    idle.insert(name);
    if (const auto classes = channels.values.find(value); classes != channels.values.end())
      for (const int number : classes->second)
        chosen.factors[static_cast<std::size_t>(number)] = 1.0;
  }
  return idle;
}

}  // namespace

void equalize_channels(Prepared& prepared, const Samples* samples, const Recipe& recipe,
                       const Engine& engine, const Progress& progress) {
  std::vector<GainPoint> points;
  if (recipe.smooth) points = smoothing_points(prepared.model, recipe);
  AddedGains gains = add_gains(std::move(prepared.model), points);
  prepared.model = std::move(gains.model);
  ScalableChannels channels = find_scalable_channels(prepared.model);
  if (!recipe.equalize) channels = only_smoothing(std::move(channels));
  const std::vector<TensorRequest> requests =
      equalization_requests(prepared.model, recipe, channels);
  if (requests.empty()) {
    prepared.model =
        remove_gains(std::move(prepared.model), {gains.nodes.begin(), gains.nodes.end()});
    return;
  }
  std::optional<CalibrationStats> stats;
  if (samples != nullptr && samples->count > 0) {
    Samples first = *samples;
    for (const std::size_t limit : {recipe.calib_count, recipe.energy_count})
      if (limit > 0) first.count = std::min(first.count, limit);
    stats = collect(prepared.model, requests, first, engine, progress);
  }
  ChosenFactors chosen =
      choose_factors(prepared.model, stats ? &*stats : nullptr, recipe, channels);
  const std::set<std::string> idle = take_out_idle(prepared.model, gains.nodes, channels, chosen);
  prepared.model =
      remove_gains(scale_channels(std::move(prepared.model), channels, chosen.factors).model, idle);
  prepared.model = prune(std::move(prepared.model)).model;
  verify(prepared.model);
  std::ranges::move(chosen.notes, std::back_inserter(prepared.notes));
}

}  // namespace ocs
