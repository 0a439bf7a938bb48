// The statistics of the activations that the points of a sweep share: collected once, kept in files.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ocs/calibrate/stats.h"
#include "ocs/core/json.h"
#include "ocs/core/samples.h"
#include "ocs/core/team.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

class StatisticsStore {
 public:
  // `model`, `samples` and `engine` must outlive the store. `data` names model and samples: files
  // of others are not used.
  StatisticsStore(std::filesystem::path folder, const Model& model, const Samples& samples,
                  const Engine& engine, Json data);

  // Those for this recipe: of this run, from folder/stats-HASH.json, or collected now and written
  // there. Valid as long as the store. Safe to call from several threads at once. Throws what
  // collecting, reading and writing throw.
  const CalibrationStats& get(const Recipe& recipe, const Progress& progress);

  // Makes sure that the files for these recipes are there; members of `team` collect those that are
  // missing together. Called by every member with the same recipes.
  void collect(const std::vector<Recipe>& recipes, const Team& team, const Progress& progress);

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& key) const;
  [[nodiscard]] CalibrationStats collected(const Recipe& recipe, const Samples& samples,
                                           const Progress& progress) const;

  std::filesystem::path folder_;
  const Model* model_;
  const Samples* samples_;
  const Engine* engine_;
  Json data_;
  std::mutex mutex_;
  std::map<std::string, CalibrationStats> known_;  // by hash
};

}  // namespace ocs
