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
#include "ocs/sweep/share.h"
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

std::filesystem::path journal_file(const std::filesystem::path& folder, const Team& team) {
  return folder / (team.rank == 0 ? std::string("journal.jsonl")
                                  : fmt::format("journal-{}.jsonl", team.rank));
}

// Of members with a rank above 0.
std::vector<std::filesystem::path> rank_journals(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("journal-") && name.ends_with(".jsonl")) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
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
        folder_(folder),
        leading_(leading_figure(input.data)) {
    open_journal();
    if (journal_->was_cut() && options.note)
      options.note("the last line of the journal was cut off: its point is computed again");
    const Json calibration{{"model", input.model_sha256}, {"data", input.identity}};
    if (input.calib != nullptr)
      statistics_.emplace(folder, *input.model, *input.calib, engine, calibration);
    const std::int64_t memory =
        available_memory() / static_cast<std::int64_t>(team().on_this_machine);
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
    // Which result a cell shows.
    std::vector<std::vector<std::string>> keys(spec_.rows.size(),
                                               std::vector<std::string>(spec_.columns.size()));
    for_each_cell(false, [&](std::size_t row, std::size_t column) {
      keys[row][column] = point_of(row, column, nullptr).key;
    });
    const SweepShare share = share_of(spec_, keys, options_.shard);
    std::vector<Point> plain;
    if (share.reference) plain.push_back(reference);
    for_each_cell(false, [&](std::size_t row, std::size_t column) {
      if (share.cells[row][column]) plain.push_back(point_of(row, column, nullptr));
    });
    std::size_t later = 0;
    for_each_cell(true, [&](std::size_t row, std::size_t column) {
      if (share.cells[row][column]) ++later;
    });
    total_ = plain.size() + later;
    compute(plain, later);

    result.cells.assign(spec_.rows.size(), std::vector<SweepCell>(spec_.columns.size()));
    std::vector<Point> chosen;
    for_each_cell(true, [&](std::size_t row, std::size_t column) {
      if (!share.cells[row][column]) return;
      const std::size_t best = best_of(keys[row], spec_.columns[column]);
      result.cells[row][column].best = spec_.columns[best].name;
      chosen.push_back(point_of(row, column, &spec_.columns[best]));
      keys[row][column] = chosen.back().key;
    });
    compute(chosen, 0);
    result.computed = computed_;
    if (options_.shard.count > 1) {
      result.cells.clear();
      return result;
    }

    result.reference = *journal_->find(reference.key);
    for (std::size_t row = 0; row < keys.size(); ++row)
      for (std::size_t column = 0; column < keys[row].size(); ++column)
        result.cells[row][column].result = *journal_->find(keys[row][column]);
    if (team().rank == 0) {
      for (const std::filesystem::path& file : rank_journals(folder_))
        std::filesystem::remove(file);
      tell_other_builds(result);
    }
    return result;
  }

 private:
  [[nodiscard]] Json head() const {
    Json head{{"journal", 2},
              {"model", input_.model_sha256},
              {"version", version()},
              {"engine", onnx_runtime_version()}};
    if (options_.shard.count > 1) head["shard"] = to_text(options_.shard);
    return head;
  }

  [[nodiscard]] const Team& team() const { return options_.team; }

  // Rank 0 first: it takes over what ranks of a run that was ended have finished, and all members begin with that.
  void open_journal() {
    const std::filesystem::path of_rank_0 = journal_file(folder_, {});
    if (team().rank == 0) {
      journal_.emplace(of_rank_0, head());
      for (const std::filesystem::path& file : rank_journals(folder_)) journal_->absorb(file);
      if (!team().alone()) (void)team().broadcast(journal_->lines());
      return;
    }
    const std::string lines = team().broadcast("");
    if (!std::filesystem::exists(of_rank_0))
      throw_bad_input(fmt::format("{}: rank {} does not see it: take a folder that all ranks share",
                                  of_rank_0.string(), team().rank));
    journal_.emplace(journal_file(folder_, team()), head());
    journal_->remember(lines);
  }

  // Every member's points at every member, those of the others on the disk of rank 0.
  void share_points() {
    if (team().alone()) return;
    const std::vector<std::string> parts = team().gather(own_lines_);
    for (const std::string& part : parts)
      for (PointResult& point : parse_journal("{}\n" + part, "points of a rank").points) {
        if (journal_->find(point.key) != nullptr) continue;
        journal_->add(std::move(point));
        ++computed_;
      }
    journal_->remember(team().broadcast(team().rank == 0 ? journal_->lines() : ""));
    own_lines_.clear();
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
      if (is_better(*journal_->find(keys[other]), *journal_->find(keys[best]))) best = other;
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
      if (journal_->find(point.key) != nullptr) continue;
      ++cells;
      if (missing.emplace(point.key, &point).second) work.push_back(&point);
    }
    done_ = total_ - later - cells;
    share_calibration(work);
    const auto finish = [&](std::size_t i) {
      PointResult result = while_doing(work[i]->name(), [&] { return computed(*work[i]); });
      const PointResult& kept = journal_->add(std::move(result));
      const auto cells_of_it =
          static_cast<std::size_t>(std::ranges::count(points, work[i]->key, &Point::key));
      const std::scoped_lock lock(mutex_);
      ++computed_;
      done_ += cells_of_it;
      if (team().rank > 0) own_lines_ += journal_line(kept) + "\n";
      if (jobs_ > 1 && options_.progress) options_.progress("points", done_, total_);
      if (options_.finished) options_.finished(kept, done_, total_);
    };
    if (team().alone()) {
      run_jobs(work.size(), jobs_, finish);
      return;
    }
    run_jobs(team().deal(work.size()), jobs_, finish);
    share_points();
  }

  // Before the points are dealt, so that members collect together and not each the same.
  void share_calibration(const std::vector<const Point*>& work) {
    if (team().alone() || !statistics_) return;
    std::vector<Recipe> recipes;
    for (const Point* point : work)
      if (point->recipe && takes_saved_statistics(*point->recipe))
        recipes.push_back(*point->recipe);
    statistics_->collect(recipes, team(), options_.progress);
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
                              {.progress = progress, .saved_stats = stats, .costs = input_.costs});
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
  std::string own_lines_{};  // of points that rank 0 has not got yet
  std::filesystem::path folder_;
  std::optional<Journal> journal_{};
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
