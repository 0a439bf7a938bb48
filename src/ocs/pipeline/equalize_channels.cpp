#include "ocs/pipeline/equalize_channels.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "ocs/calibrate/collect.h"
#include "ocs/graph/verify.h"
#include "ocs/passes/prune.h"
#include "ocs/passes/scale_channels.h"
#include "ocs/plan/choose_factors.h"

namespace ocs {

void equalize_channels(Prepared& prepared, const Samples* samples, const Recipe& recipe,
                       const Engine& engine, const Progress& progress) {
  const ScalableChannels channels = find_scalable_channels(prepared.model);
  const std::vector<TensorRequest> requests =
      equalization_requests(prepared.model, recipe, channels);
  if (requests.empty()) return;
  std::optional<CalibrationStats> stats;
  if (samples != nullptr && samples->count > 0) {
    Samples first = *samples;
    for (const std::size_t limit : {recipe.calib_count, recipe.energy_count})
      if (limit > 0) first.count = std::min(first.count, limit);
    stats = collect(prepared.model, requests, first, engine, progress);
  }
  ChosenFactors chosen =
      choose_factors(prepared.model, stats ? &*stats : nullptr, recipe, channels);
  prepared.model =
      prune(scale_channels(std::move(prepared.model), channels, chosen.factors).model).model;
  verify(prepared.model);
  std::ranges::move(chosen.notes, std::back_inserter(prepared.notes));
}

}  // namespace ocs
