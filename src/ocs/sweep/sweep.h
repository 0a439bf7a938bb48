// A grid of settings for one model: every cell quantized and evaluated, finished cells kept.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ocs/core/json.h"
#include "ocs/core/samples.h"
#include "ocs/core/shard.h"
#include "ocs/core/team.h"
#include "ocs/costs/cost_table.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"
#include "ocs/sweep/evaluation.h"
#include "ocs/sweep/result.h"
#include "ocs/sweep/spec.h"

namespace ocs {

struct SweepInput {
  const Model* model = nullptr;    // float
  const Samples* calib = nullptr;  // may be null where no cell quantizes activations
  EvaluationData data{};
  std::string model_sha256{};
  Json identity{};  // of calibration and evaluation data and their preprocessing, as hashes
  // For recipes with a latency_budget, which name it; null: the program's own.
  const CostTable* costs = nullptr;
};

struct SweepOptions {
  Shard shard{};         // of the points; those of the other shards are left to other processes
  Team team{};           // with whom the points are shared out; together they are one process
  std::size_t jobs = 0;  // points at once; 0: as many as threads and memory allow
  Progress progress{};   // of the work inside, or of the points where several run; may be empty
  // Gets each point that was computed, and how many of how many are now there; from one thread at
  // a time. May be empty.
  std::function<void(const PointResult& point, std::size_t done, std::size_t total)> finished{};
  std::function<void(const std::string&)> note{};  // may be empty
};

struct SweepCell {
  PointResult result{};
  std::string best{};  // of best_of: the column that was best in this row
};

struct SweepResult {
  PointResult reference{};                      // the float model
  std::vector<std::vector<SweepCell>> cells{};  // by row and column; empty for a shard
  const Figure* leading = nullptr;              // what tells better from worse
  std::size_t computed = 0;                     // points that were not in the journal
};

// Computes what the journal in `folder` (which exists) does not hold: first the float model and the
// columns without best_of, then the others. Each point is `quantize` with statistics that all share,
// then the evaluation; what it gives is what `ocs quantize` and `ocs evaluate` give with its
// settings. Cells with equal settings are computed once. Throws Error naming the cell for what
// quantizing and evaluating throw, and what opening the journal throws; points that were finished
// before stay in the journal.
//
// A member of a team with rank R > 0 keeps its points in folder/journal-R.jsonl until rank 0 has them; `folder` is one that all members
// see. Such a file that was left behind, since its process ended before, is taken over at the next start.
[[nodiscard]] SweepResult run_sweep(const SweepSpec& spec, const SweepInput& input,
                                    const std::filesystem::path& folder, const Engine& engine,
                                    const SweepOptions& options);

}  // namespace ocs
