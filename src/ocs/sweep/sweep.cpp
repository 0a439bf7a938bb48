#include "ocs/sweep/sweep.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/cached_samples.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/core/version.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/plan/find_layers.h"
#include "ocs/report/relative_cost.h"
#include "ocs/sweep/identity.h"
#include "ocs/sweep/jobs.h"
#include "ocs/sweep/journal.h"
#include "ocs/sweep/statistics_store.h"

namespace ocs {
namespace {

struct Point {
  std::string key{};
  std::string row{};
  std::string column{};
  std::optional<Recipe> recipe{};  // none: the float model
  EvaluationCut cut{};

  [[nodiscard]] std::string name() const { return column.empty() ? row : row + ", " + column; }
};

void fill_from_report(const Report& report, PointResult& result) {
  if (!report.outputs.empty() && std::isfinite(report.outputs.front().sqnr_db))
    result.sqnr_db = report.outputs.front().sqnr_db;
  result.agreement = report.agreement_percent;
  const RelativeCost cost = relative_cost(report.layers);
  result.weights = cost.weights;
  result.activations = cost.activations;
  result.macs = cost.macs;
}

double megabytes_of(const Model& model) {
  return static_cast<double>(model.proto().ByteSizeLong()) * 1e-6;
}

class Sweep {
 public:
  Sweep(const SweepSpec& spec, const SweepInput& input, const std::filesystem::path& folder,
        const Engine& engine, const SweepOptions& options)
      : spec_(spec),
        input_(input),
        engine_(engine),
        options_(options),
        journal_(folder / "journal.jsonl", head()),
        leading_(leading_figure(input.data)) {
    if (journal_.was_cut() && options.note)
      options.note("the last line of the journal was cut off: its point is computed again");
    const Json calibration{{"model", input.model_sha256}, {"data", input.identity}};
    if (input.calib != nullptr)
      statistics_.emplace(folder, *input.model, *input.calib, engine, calibration);
    const std::int64_t memory = available_memory();
    // A third of the memory for decoded samples, the rest for models.
    data_ = input.data;
    if (data_.samples) data_.samples = cached(*input.data.samples, memory / 3);
    jobs_ = options.jobs > 0
                ? options.jobs
                : default_jobs(static_cast<std::int64_t>(input.model->proto().ByteSizeLong()),
                               memory, data_.samples ? memory / 3 : 0);
  }

  SweepResult run() {
    SweepResult result{.leading = &leading_};
    const Point reference{
        .key = point_key(nullptr, spec_.cut, input_.identity), .row = "float", .cut = spec_.cut};
    std::vector<Point> plain{reference};
    // Which result a cell shows.
    std::vector<std::vector<std::string>> keys(spec_.rows.size(),
                                               std::vector<std::string>(spec_.columns.size()));
    for_each_cell(false, [&](std::size_t row, std::size_t column) {
      plain.push_back(point_of(row, column, nullptr));
      keys[row][column] = plain.back().key;
    });
    total_ = spec_.rows.size() * spec_.columns.size() + 1;
    compute(plain, total_ - plain.size());

    result.cells.assign(spec_.rows.size(), std::vector<SweepCell>(spec_.columns.size()));
    std::vector<Point> chosen;
    for_each_cell(true, [&](std::size_t row, std::size_t column) {
      const std::size_t best = best_of(keys[row], spec_.columns[column]);
      result.cells[row][column].best = spec_.columns[best].name;
      chosen.push_back(point_of(row, column, &spec_.columns[best]));
      keys[row][column] = chosen.back().key;
    });
    compute(chosen, 0);

    result.reference = *journal_.find(reference.key);
    for (std::size_t row = 0; row < keys.size(); ++row)
      for (std::size_t column = 0; column < keys[row].size(); ++column)
        result.cells[row][column].result = *journal_.find(keys[row][column]);
    result.computed = computed_;
    tell_other_builds(result);
    return result;
  }

 private:
  [[nodiscard]] Json head() const {
    return {{"journal", 2},
            {"model", input_.model_sha256},
            {"version", version()},
            {"engine", onnx_runtime_version()}};
  }

  // The version does not tell one build from the next, and whether the next computes the same is for
  // the user to know.
  void tell_other_builds(const SweepResult& result) const {
    std::set<std::string> others;
    const auto look_at = [&](const PointResult& point) {
      if (point.build != build_) others.insert(point.key);
    };
    look_at(result.reference);
    for (const std::vector<SweepCell>& row : result.cells)
      for (const SweepCell& cell : row) look_at(cell.result);
    if (!others.empty() && options_.note)
      options_.note(fmt::format(
          "{} of the points that are shown were computed by another build of ocs {}; if that "
          "computes something else, use another folder",
          others.size(), version()));
  }

  // The cells of the columns that have a best_of, or of those that have none.
  template <typename Visit>
  void for_each_cell(bool with_best_of, Visit&& visit) const {
    for (std::size_t row = 0; row < spec_.rows.size(); ++row)
      for (std::size_t column = 0; column < spec_.columns.size(); ++column)
        if (spec_.columns[column].best_of.empty() != with_best_of) visit(row, column);
  }

  [[nodiscard]] Point point_of(std::size_t row, std::size_t column, const SweepEntry* best) const {
    const SweepEntry& down = spec_.rows[row];
    const SweepEntry& across = spec_.columns[column];
    Point point{.row = down.name,
                .column = across.name,
                .recipe = recipe_of_cell(spec_, down, across, best),
                .cut = cut_of_cell(spec_, down, across)};
    point.key = point_key(&*point.recipe, point.cut, input_.identity);
    return point;
  }

  // Of the columns that `column` names; the first of several that are equal.
  [[nodiscard]] std::size_t best_of(const std::vector<std::string>& keys,
                                    const SweepEntry& column) const {
    std::size_t best = column_named(spec_, column.best_of.front());
    for (const std::string& name : column.best_of) {
      const std::size_t other = column_named(spec_, name);
      if (is_better(*journal_.find(keys[other]), *journal_.find(keys[best]))) best = other;
    }
    return best;
  }

  [[nodiscard]] bool is_better(const PointResult& a, const PointResult& b) const {
    const std::optional<double> x = a.*leading_.value;
    const std::optional<double> y = b.*leading_.value;
    if (!x || !y) return x.has_value() && !y.has_value();
    return leading_.smaller_is_better ? *x < *y : *x > *y;
  }

  // Those that are not in the journal, each key once; `later`: cells that come after them.
  void compute(const std::vector<Point>& points, std::size_t later) {
    std::map<std::string, const Point*> missing;
    std::vector<const Point*> work;
    std::size_t cells = 0;
    for (const Point& point : points) {
      if (journal_.find(point.key) != nullptr) continue;
      ++cells;
      if (missing.emplace(point.key, &point).second) work.push_back(&point);
    }
    done_ = total_ - later - cells;
    run_jobs(work.size(), jobs_, [&](std::size_t i) {
      PointResult result = while_doing(work[i]->name(), [&] { return computed(*work[i]); });
      const PointResult& kept = journal_.add(std::move(result));
      const auto cells_of_it =
          static_cast<std::size_t>(std::ranges::count(points, work[i]->key, &Point::key));
      const std::scoped_lock lock(mutex_);
      ++computed_;
      done_ += cells_of_it;
      if (jobs_ > 1 && options_.progress) options_.progress("points", done_, total_);
      if (options_.finished) options_.finished(kept, done_, total_);
    });
  }

  PointResult computed(const Point& point) {
    PointResult result{.key = point.key, .row = point.row, .column = point.column, .build = build_};
    // Steps of several points at once would only flicker.
    Progress progress;
    if (jobs_ == 1 && options_.progress) {
      progress = [&](const std::string& step, std::size_t done, std::size_t total) {
        options_.progress(fmt::format("{}: {}", point.name(), step), done, total);
      };
    }
    const std::size_t threads = std::max<std::size_t>(1, thread_count() / jobs_);
    if (!point.recipe) {
      result.megabytes = megabytes_of(*input_.model);
      evaluate_model(*input_.model, data_, point.cut, engine_, threads, progress, result);
      return result;
    }
    result.recipe = changed_keys(*point.recipe);
    const Model model = quantized(*point.recipe, progress, result);
    result.megabytes = megabytes_of(model);
    evaluate_model(model, data_, point.cut, engine_, threads, progress, result);
    return result;
  }

  Model quantized(const Recipe& recipe, const Progress& progress, PointResult& result) {
    if (input_.calib == nullptr && quantizes_data(recipe, *input_.model))
      throw_bad_input("quantizing activations needs data: the sweep names no 'calib'");
    const CalibrationStats* stats = statistics_ && takes_saved_statistics(recipe)
                                        ? &statistics_->get(recipe, progress)
                                        : nullptr;
    const auto start = std::chrono::steady_clock::now();
    Quantized made = quantize(input_.model->clone(), input_.calib, recipe, engine_,
                              {.progress = progress, .saved_stats = stats});
    result.quantize_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    fill_from_report(made.report, result);
    return made.unchanged ? input_.model->clone() : std::move(made.model);
  }

  const SweepSpec& spec_;
  const SweepInput& input_;
  const Engine& engine_;
  const SweepOptions& options_;
  const std::string build_ = running_build();
  Journal journal_;
  const Figure& leading_;
  EvaluationData data_{};
  std::optional<StatisticsStore> statistics_{};
  std::size_t jobs_ = 1;
  std::mutex mutex_{};
  std::size_t done_ = 0;
  std::size_t total_ = 0;
  std::size_t computed_ = 0;
};

}  // namespace

SweepResult run_sweep(const SweepSpec& spec, const SweepInput& input,
                      const std::filesystem::path& folder, const Engine& engine,
                      const SweepOptions& options) {
  return Sweep(spec, input, folder, engine, options).run();
}

}  // namespace ocs
