#include "ocs/sweep/statistics_store.h"

#include <utility>

#include "ocs/calibrate/stats_json.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/sweep/identity.h"

namespace ocs {

StatisticsStore::StatisticsStore(std::filesystem::path folder, const Model& model,
                                 const Samples& samples, const Engine& engine, Json data)
    : folder_(std::move(folder)),
      model_(&model),
      samples_(&samples),
      engine_(&engine),
      data_(std::move(data)) {}

const CalibrationStats& StatisticsStore::get(const Recipe& recipe, const Progress& progress) {
  const Recipe part = calibration_part(recipe);
  const std::string key = point_key(&part, {}, data_);
  // Held while collecting: the points that wait need the result.
  const std::scoped_lock lock(mutex_);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  const std::filesystem::path file = folder_ / ("stats-" + key.substr(0, 16) + ".json");
  if (std::filesystem::exists(file)) return known_.emplace(key, read_stats(file)).first->second;
  const Prepared prepared = prepare(model_->clone(), recipe, {});
  CalibrationStats stats = collect_statistics(prepared.model, *samples_, recipe, *engine_,
                                              {.progress = progress, .keep_stats = true});
  write_stats(stats, file);
  return known_.emplace(key, std::move(stats)).first->second;
}

}  // namespace ocs
