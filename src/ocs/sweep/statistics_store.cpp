#include "ocs/sweep/statistics_store.h"

#include <set>
#include <utility>

#include "ocs/calibrate/gather_stats.h"
#include "ocs/calibrate/stats_json.h"
#include "ocs/core/error.h"
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

std::filesystem::path StatisticsStore::file_of(const std::string& key) const {
  return folder_ / ("stats-" + key.substr(0, 16) + ".json");
}

CalibrationStats StatisticsStore::collected(const Recipe& recipe, const Samples& samples,
                                            const Progress& progress) const {
  const Prepared prepared = prepare(model_->clone(), recipe, {});
  return collect_statistics(prepared.model, samples, recipe, *engine_,
                            {.progress = progress, .keep_stats = true})
      .stats;
}

const CalibrationStats& StatisticsStore::get(const Recipe& recipe, const Progress& progress) {
  const Recipe part = calibration_part(recipe);
  const std::string key = point_key(&part, {}, data_);
  // Held while collecting: the points that wait need the result.
  const std::scoped_lock lock(mutex_);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  const std::filesystem::path file = file_of(key);
  if (std::filesystem::exists(file)) return known_.emplace(key, read_stats(file)).first->second;
  CalibrationStats stats = collected(recipe, *samples_, progress);
  write_stats(stats, file);
  return known_.emplace(key, std::move(stats)).first->second;
}

void StatisticsStore::collect(const std::vector<Recipe>& recipes, const Team& team,
                              const Progress& progress) {
  std::set<std::string> done;
  for (const Recipe& recipe : recipes) {
    if (!team.alone() && recipe.calib_settle > 0.0)
      throw_bad_input(
          "calib_settle: whether ranges have settled is known of all samples together, not of a "
          "rank's");
    const Recipe part = calibration_part(recipe);
    const std::string key = point_key(&part, {}, data_);
    if (!done.insert(key).second) continue;
    // Rank 0 looks for all: they must agree on who collects.
    const bool is_there = std::filesystem::exists(file_of(key));
    if (!team.broadcast(is_there ? "there" : "").empty()) continue;
    const auto whole = collect_together(team, first_samples(*samples_, recipe.calib_count),
                                        [&](const Samples& part_of_samples) {
                                          return collected(recipe, part_of_samples, progress);
                                        });
    if (whole) write_stats(*whole, file_of(key));
    (void)team.broadcast("");  // nobody looks for the file before it is there
  }
}

}  // namespace ocs
