// The straight line: float model + data + recipe -> quantized model + report
// (docs/architecture.md). Everything between is values.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/calibrate/collect.h"
#include "ocs/calibrate/stats.h"
#include "ocs/core/samples.h"
#include "ocs/costs/cost_table.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/rounding_journal.h"
#include "ocs/plan/make_plan.h"
#include "ocs/recipe/recipe.h"
#include "ocs/report/report.h"

namespace ocs {

// Sees the model after each step (--dump-after).
using Observer = std::function<void(std::string_view step, const Model& model)>;

struct RunOptions {
  Progress progress{};  // empty: nobody looks
  Observer observe{};   // empty: nobody looks
  const CalibrationStats* saved_stats =
      nullptr;  // from --load-stats: the samples are then only measured with; unread
                // where the recipe does not take them (takes_saved_statistics)
  const RoundingJournal* journal = nullptr;  // null: what is rounded is kept nowhere
  const CostTable* costs =
      nullptr;  // what recipe.latency_budget is spent by; null: the program's own
  // Set: the integers of each layer are handed to it as soon as they are known (write_model_in_pieces) and are not in memory any
  // more. Without samples, and where can_keep_weights(recipe).
  KeepTensor keep{};
  bool keep_stats = false;  // whole statistics in the result, for --save-stats (histograms even
                            // where no clip needs them)
};

struct Quantized {
  Model model{};
  bool unchanged = false;  // nothing could be quantized: the caller writes the model as it was read
  Report report{};         // without file names, sizes and total time: the caller knows these
  CalibrationStats stats{};  // empty unless asked for
};

// `samples`: may be null where activations stay float, or with saved statistics; nothing is
// measured then and no bias corrected without statistics. Throws Error(bad_input) for a model that
// is quantized already (names the node), for patterns that match nothing, for data that does not
// fit. Where nothing can be quantized, the report says why and `unchanged` is set.
[[nodiscard]] Quantized quantize(Model model, const Samples* samples, const Recipe& recipe,
                                 const Engine& engine, const RunOptions& options);

// Whether statistics that were collected before hold for a run with this recipe. Not under equalization, which
// scales the activations that the calibration must see; nor where smoothing does, which only the model tells.
[[nodiscard]] bool takes_saved_statistics(const Recipe& recipe);
// The whole answer, for a model that prepare() has made with the same recipe.
[[nodiscard]] bool takes_saved_statistics(const Recipe& recipe, const Model& prepared);

// What `quantize` collects without saved statistics, of a model that prepare() has made with the same recipe: for callers that
// quantize it several times. Throws what collecting throws.
struct Collected {
  CalibrationStats stats{};
  bool ended_early = false;  // recipe.calib_settle
};
// `kept`: see collect().
[[nodiscard]] Collected collect_statistics(const Model& prepared, const Samples& samples,
                                           const Recipe& recipe, const Engine& engine,
                                           const RunOptions& options, KeptOutputs* kept = nullptr);

// The same of the float model as it was read, with histograms: what --save-stats keeps. Throws also where saved
// statistics do not hold.
[[nodiscard]] CalibrationStats statistics_of(Model model, const Samples& samples,
                                             const Recipe& recipe, const Engine& engine,
                                             const Progress& progress);

// The float rewrites alone, in their order: what inspect, compare and the calibration see. `step`
// is told to the observer.
struct Prepared {
  Model model{};
  std::vector<Note> notes{};
  std::map<std::string, UnfoldedRows> unfolded{};
  std::map<std::string, NormalChannels> normals{};  // by value: behind folded BatchNormalization
};
[[nodiscard]] Prepared prepare(Model model, const Recipe& recipe, const Observer& observe);

// The first half of `quantize`: everything that is decided, and the float model that it was decided for. `model` of `prepared` is
// that of the plan (splitting activations changes it). Throws what `quantize` throws.
struct PlannedNetwork {
  Prepared prepared{};
  Plan plan{};               // before the fallback
  CalibrationStats stats{};  // as collected; empty with saved statistics
  std::int64_t calibration_samples = 0;
  double calibration_seconds = 0.0;
  bool synthetic = false;
  KeptOutputs outputs{};  // of the float model, for measuring, where it was calibrated in this run
};
[[nodiscard]] PlannedNetwork plan_network(Model model, const Samples* samples, const Recipe& recipe,
                                          const Engine& engine, const RunOptions& options);

}  // namespace ocs
