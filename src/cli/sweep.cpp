// ocs sweep: a grid of settings for one model and data set, as tables.
#include "ocs/sweep/sweep.h"

#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/costs.h"
#include "cli/data_options.h"
#include "cli/language_roles.h"
#include "cli/options.h"
#include "cli/output_file.h"
#include "cli/team.h"
#include "ocs/core/sha256.h"
#include "ocs/core/shard.h"
#include "ocs/core/write_file.h"
#include "ocs/data/text.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/sweep/identity.h"
#include "ocs/sweep/plot.h"
#include "ocs/sweep/published.h"
#include "ocs/sweep/table.h"

namespace ocs::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string spec{};
  std::string output{};
  std::string root{};
  std::string model{};
  std::string calib{};
  std::string data{};
  std::string labels{};
  std::string vocabulary{};
  std::optional<std::size_t> count{};
  std::optional<Shard> shard{};
  std::size_t jobs = 0;
  CostOptions costs{};
};

SweepSpec spec_of(const Options& options) {
  if (options.output.empty()) throw_bad_input("sweep: where to? pass -o DIR");
  SweepSpec spec = read_sweep_spec(options.spec, options.root);
  if (!options.model.empty()) spec.model = options.model;
  if (!options.calib.empty()) spec.calib = options.calib;
  if (!options.data.empty()) spec.data = options.data;
  if (!options.labels.empty()) spec.labels = options.labels;
  if (!options.vocabulary.empty()) spec.vocab = options.vocabulary;
  if (options.count) spec.cut.count = *options.count;
  if (spec.model.empty())
    throw_bad_input(fmt::format("{}: names no 'model'; or pass --model", spec.name));
  if (spec.data.empty() && (!spec.labels.empty() || !spec.vocab.empty()))
    throw_bad_input(fmt::format("{}: 'labels' and 'vocab' go with 'data'", spec.name));
  return spec;
}

DataArguments arguments_for(const fs::path& path, const std::string& format, const SweepSpec& spec,
                            const char* option) {
  return {.option = option, .path = path.string(), .format = format, .preprocess = spec.preprocess};
}

EvaluationData evaluation_data(const SweepSpec& spec, const Model& model, Console& console) {
  if (spec.data.empty()) return {};
  if (spec.vocab.empty()) {
    DataArguments data = arguments_for(spec.data, spec.format, spec, "--data");
    data.labels = spec.labels.string();
    Samples samples = open_data(data, {&model}, console);
    if (!samples.has_labels) {
      throw_bad_input(
          fmt::format("{}: the samples have no labels: pass --labels FILE", spec.data.string()));
    }
    return {.samples = std::move(samples)};
  }
  const Vocabulary vocabulary = read_vocabulary(spec.vocab);
  TokenText text = read_text(spec.data, vocabulary, 0);
  return {.text = TextData{.ids = std::move(text.ids),
                           .vocabulary = vocabulary.ids.size(),
                           .roles = language_roles_of(model).value_or(LanguageModel{})}};
}

// What the results depend on besides model and settings.
Json identity_of(const SweepSpec& spec, const Model& model) {
  const DataArguments data = arguments_for(spec.data, spec.format, spec, "--data");
  const auto preprocess = preprocess_for(data, {&model});
  const auto roles = language_roles_of(model);
  return {{"calib", sha256_of_path(spec.calib)},
          {"calib_format", spec.calib_format},
          {"data", sha256_of_path(spec.data)},
          {"format", spec.format},
          {"labels", sha256_of_path(spec.labels)},
          {"vocab", sha256_of_path(spec.vocab)},
          {"preprocess", preprocess ? to_json(*preprocess) : Json(nullptr)},
          {"language", roles ? to_json(*roles) : Json(nullptr)}};
}

std::string point_text(const PointResult& point) {
  std::string text = point.column.empty() ? point.row : point.row + ", " + point.column;
  for (const char* key : {"top1", "perplexity", "sqnr_db"}) {
    const Figure& figure = *find_figure(key);
    if (point.*figure.value)
      text += fmt::format(", {} {}", figure.heading, figure_text(figure, point));
  }
  return text;
}

// A line for each finished point.
std::string finished_text(const PointResult& point, std::size_t done, std::size_t total) {
  return fmt::format("{}/{} {}", done, total, point_text(point));
}

void answer_shard(const Options& options, const SweepResult& result, Console& console) {
  const std::string shard = to_text(*options.shard);
  if (console.options().json) {
    console.answer_json(
        {{"output", options.output}, {"shard", shard}, {"computed", result.computed}});
  } else {
    console.answer(fmt::format("{}: shard {} is done, {} points were computed\n", options.output,
                               shard, result.computed));
  }
}

void write_tables(const SweepSpec& spec, const SweepResult& result, const fs::path& folder,
                  const Published* published, Console& console) {
  const std::string markdown = to_markdown(spec, result, published);
  write_file(folder / "table.md", markdown);
  write_file(folder / "table.csv", to_csv(spec, result));
  write_file(folder / "plot.svg", to_svg(spec, result));
  if (console.options().json) {
    console.answer_json(to_json(spec, result));
  } else {
    console.answer(markdown);
  }
}

int sweep_with(const Team& team, const Options& options, Console& console, Console& points) {
  SweepSpec spec = spec_of(options);
  // As a key of all cells, so that no point of another table is taken for one of this.
  auto hash = value_or<std::string>(spec.recipe, "cost_table", "");
  const std::optional<CostTable> costs = read_costs(options.costs, hash);
  if (costs) spec.recipe["cost_table"] = hash;
  std::optional<Published> published;
  if (spec.published) published = read_published(spec);
  const Model model = read_model(spec.model);
  std::optional<Samples> calib;
  if (!spec.calib.empty()) {
    calib =
        open_data(arguments_for(spec.calib, spec.calib_format, spec, "--calib"), {&model}, console);
  }
  const SweepInput input{.model = &model,
                         .calib = calib ? &*calib : nullptr,
                         .data = evaluation_data(spec, model, console),
                         .model_sha256 = sha256_of_file(spec.model),
                         .identity = identity_of(spec, model),
                         .costs = costs ? &*costs : nullptr};
  const fs::path folder(options.output);
  make_output_folder(folder, "-o");
  const auto finished = [&](const PointResult& point, std::size_t done, std::size_t total) {
    points.note(team.alone() ? finished_text(point, done, total)
                             : fmt::format("rank {}: {}", team.rank, point_text(point)));
  };
  const SweepOptions sweep_options{.shard = options.shard.value_or(Shard{}),
                                   .team = team,
                                   .jobs = options.jobs,
                                   .progress = console.progress(),
                                   .finished = finished,
                                   .note = [&](const std::string& text) { console.note(text); }};
  const SweepResult result = while_doing(
      spec.name, [&] { return run_sweep(spec, input, folder, onnx_runtime(), sweep_options); });
  if (team.rank > 0) return exit_done;
  if (options.shard && options.shard->count > 1) {
    answer_shard(options, result, console);
  } else {
    write_tables(spec, result, folder, published ? &*published : nullptr, console);
  }
  return exit_done;
}

int run(const Options& options, Console& console) {
  // A shard is one process's own, whoever started it.
  const Team team = options.shard ? Team{} : join_team(console.options());
  Console silent(silenced(console.options()));
  return sweep_with(team, options, team.rank == 0 ? console : silent, console);
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_file(app, "SPEC.json", "the grid: model, data, recipe, rows and columns", options->spec);
  add_text(app, "-o,--output", "DIR",
           "where the finished points are kept and the tables go; made where it is missing",
           options->output);
  add_text(app, "--root", "DIR",
           "where the paths of SPEC.json are meant from (default: the folder it lies in)",
           options->root);
  add_cost_options(app, options->costs);
  add_number(app, "--jobs", "N", "points at once (default: as many as cores and memory allow)",
             options->jobs);
  add_text(
      app, "--shard", "I/N",
      "only the I-th of N parts of the points, without tables; ocs merge makes one sweep of them",
      [options = options.get()](const std::string& text) {
        options->shard = while_doing("--shard", [&] { return parse_shard(text); });
      });
  const std::string group = "Instead of what SPEC.json says";
  add_text(app, "--model", "FILE", "the float model", options->model)->group(group);
  add_text(app, "--calib", "DATA", "samples for the calibration", options->calib)->group(group);
  add_text(app, "--data", "DATA", "labelled samples, or a text", options->data)->group(group);
  add_text(app, "--labels", "FILE", "one `file label` a line", options->labels)->group(group);
  add_text(app, "--vocab", "FILE", "the tokens of a language model", options->vocabulary)
      ->group(group);
  add_number(app, "--count", "N", "evaluate the first N samples, of a text tokens; 0: all",
             options->count)
      ->group(group);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command sweep_command{
    .name = "sweep",
    .summary = "Quantize and evaluate a model with a grid of settings",
    .examples =
        "  ocs sweep clips.json -o build/clips\n"
        "  ocs sweep clips.json -o build/clips-1 --shard 1/2\n"
        "  ocs sweep experiments/table1.json -o build/table1 --root ../shared/data --jobs 2\n",
    .add = add,
};

}  // namespace ocs::cli
