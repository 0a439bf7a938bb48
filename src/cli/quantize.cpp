// ocs quantize: a float model, data and a recipe into a quantized model and a report.
#include "ocs/pipeline/quantize.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/calibration_origin.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/costs.h"
#include "cli/data_options.h"
#include "cli/dump_steps.h"
#include "cli/file_size.h"
#include "cli/model_metadata.h"
#include "cli/options.h"
#include "cli/output_file.h"
#include "cli/recipe_options.h"
#include "cli/team.h"
#include "ocs/calibrate/gather_stats.h"
#include "ocs/calibrate/stats_json.h"
#include "ocs/calibrate/stats_origin.h"
#include "ocs/core/sha256.h"
#include "ocs/core/shard.h"
#include "ocs/core/write_file.h"
#include "ocs/costs/cost_table_json.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/keep_weights.h"
#include "ocs/plan/find_layers.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/report/report_html.h"
#include "ocs/report/report_json.h"
#include "ocs/report/report_text.h"

namespace ocs::cli {
namespace {

struct Options {
  std::string model{};
  std::string output{};
  RecipeArguments recipe{};
  bool print_recipe = false;
  DataArguments data{};
  std::vector<std::string> reports{};
  std::string save_stats{};
  std::string load_stats{};
  std::optional<Shard> shard{};
  CostOptions costs{};
  std::optional<CostTable> cost_table{};  // what is in their file
  std::string checkpoint{};
  StepDump dump{};
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A part of the data makes no model: what is asked for beside its statistics would be of them alone.
void check_shard(const Options& options) {
  const std::string shard = "--shard " + to_text(*options.shard);
  if (options.save_stats.empty())
    throw_bad_input(shard + " makes statistics: pass --save-stats FILE");
  const std::pair<const char*, bool> others[] = {{"-o", !options.output.empty()},
                                                 {"--report", !options.reports.empty()},
                                                 {"--load-stats", !options.load_stats.empty()},
                                                 {"--dump-after", !options.dump.wanted.empty()}};
  for (const auto& [option, given] : others)
    if (given)
      throw_bad_input(
          fmt::format("{} makes statistics alone, no model: leave {} out; see ocs merge --help",
                      shard, option));
}

void check_files(const Options& options) {
  if (options.model.empty()) throw_bad_input("quantize: which model? see ocs quantize --help");
  if (!options.save_stats.empty()) {
    check_output(options.save_stats, "--save-stats");
    if (!options.load_stats.empty())
      throw_bad_input("--save-stats and --load-stats exclude each other");
  }
  if (options.shard) {
    check_shard(options);
    return;
  }
  if (options.output.empty()) throw_bad_input("quantize: where to? pass -o OUT.onnx");
  check_output(options.output, "-o");
  if (same_file(options.model, options.output))
    throw_bad_input(fmt::format("-o {}: is the input itself", options.output));
  for (const std::string& report : options.reports) {
    if (!report.ends_with(".json") && !report.ends_with(".html")) {
      throw_bad_input(fmt::format("--report {}: the name must end in .json or .html", report));
    }
    check_output(report, "--report");
  }
}

// The arguments with what the recipe says of the data.
DataArguments data_arguments(const Options& options, const Recipe& recipe) {
  DataArguments data = options.data;
  data.count = recipe.calib_count;
  data.seed = recipe.seed;
  return data;
}

std::optional<Samples> open_samples_for(const Options& options, const Recipe& recipe,
                                        const Model& model, Console& console) {
  const DataArguments data = data_arguments(options, recipe);
  if (data.given()) return open_data(data, {&model}, console);
  if (!options.save_stats.empty())
    throw_bad_input("--save-stats: there are no statistics without data: pass --calib DATA");
  if (options.load_stats.empty()) {
    if (quantizes_data(recipe, model)) {
      throw_bad_input(
          "quantizing activations needs data: pass --calib DATA; or --recipe weights-only, which "
          "needs none");
    }
    console.note(recipe.bias_correction
                     ? "no data: biases are corrected as far as BatchNormalization tells of the "
                       "channels, and nothing is measured"
                     : "no data: nothing is measured");
  }
  return std::nullopt;
}

// Named by all that the rounded layers depend on.
std::optional<RoundingJournal> open_journal(const Options& options, const Recipe& recipe,
                                            const Model& model,
                                            const std::optional<Samples>& samples) {
  if (options.checkpoint.empty()) return std::nullopt;
  Json identity{{"recipe", to_json(recipe)}};
  if (samples)
    identity["origin"] =
        to_json(origin_of(model, data_arguments(options, recipe), *samples, Shard{}));
  if (!options.load_stats.empty()) identity["statistics"] = sha256_of_file(options.load_stats);
  return RoundingJournal(options.checkpoint, sha256(identity.dump()));
}

void write_reports(const Options& options, const Report& report) {
  for (const std::string& file : options.reports) {
    write_file(file, file.ends_with(".json") ? to_text(to_json(report)) + "\n" : to_html(report));
  }
}

void tell_notes(const Report& report, Console& console) {
  for (const Note& note : report.notes) {
    console.detail(note.node.empty() ? note.text : fmt::format("{}: {}", note.node, note.text));
  }
}

CalibrationStats load_stats(const std::string& file, const Model& model) {
  CalibrationStats stats = read_stats(file);
  if (stats.origin) {
    while_doing(file, [&] {
      require_fit(*stats.origin, sha256_of_model(model));
      require_whole(*stats.origin);
    });
  }
  return stats;
}

int run_shard(const Options& options, const Recipe& recipe, Model model, Console& console) {
  const Samples samples = *open_samples_for(options, recipe, model, console);
  const Samples part = part_of(samples, *options.shard);
  StatsOrigin origin = origin_of(model, data_arguments(options, recipe), samples, *options.shard);
  CalibrationStats stats = naming_file(options.model, [&] {
    return statistics_of(std::move(model), part, recipe, onnx_runtime(), console.progress());
  });
  stats.origin = std::move(origin);
  write_stats(stats, options.save_stats);
  if (console.options().json) {
    console.answer_json({{"output", options.save_stats},
                         {"shard", to_text(*options.shard)},
                         {"samples", stats.samples}});
  } else {
    console.answer(fmt::format("{}: shard {}, {} samples\n", options.save_stats,
                               to_text(*options.shard), stats.samples));
  }
  return exit_done;
}

// The whole at rank 0, nothing at the others.
std::optional<CalibrationStats> calibrate_together(const Team& team, const Model& model,
                                                   const Samples& samples, const Recipe& recipe,
                                                   const Progress& progress) {
  return collect_together(team, samples, [&](const Samples& part) {
    return statistics_of(model.clone(), part, recipe, onnx_runtime(), progress);
  });
}

// From this many bytes of external data on, weights alone are rounded with a few layers in memory at a time.
constexpr std::uint64_t pieces_from = std::uint64_t{1} << 28U;

bool can_go_in_pieces(const Options& options, const Recipe& recipe) {
  return can_keep_weights(recipe) && !options.shard && !options.data.given() &&
         options.load_stats.empty() && options.dump.wanted.empty();
}

// Whether weights lie in files that the model refers to. Those must not be replaced by what is written.
bool has_left_weights(const Model& model, const Options& options) {
  bool any = false;
  for (const onnx::TensorProto& tensor : model.graph().initializer()) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) continue;
    any = true;
    for (const auto& entry : tensor.external_data())
      if (entry.key() == "location" &&
          same_file((model.file().parent_path() / entry.value()).string(),
                    options.output + ".data"))
        throw_bad_input(fmt::format(
            "-o {}: its weights would go to {}.data, where those of the model lie that is read",
            options.output, options.output));
  }
  return any;
}

int quantize_with(const Team& team, Options& options, const Recipe& recipe, Console& console) {
  const double begun = seconds_now();
  const std::uint64_t leave_from =
      can_go_in_pieces(options, recipe) ? pieces_from : std::numeric_limits<std::uint64_t>::max();
  Model model = read_model(options.model, leave_from);
  if (options.shard) return run_shard(options, recipe, std::move(model), console);
  const std::int64_t size_before = model_size(model, options.model);
  const std::optional<Samples> samples = open_samples_for(options, recipe, model, console);
  std::optional<CalibrationStats> saved;
  if (!options.load_stats.empty()) saved = load_stats(options.load_stats, model);
  const double calibration_begun = seconds_now();
  const bool together = !team.alone() && !saved && samples &&
                        takes_saved_statistics(recipe, prepare(model.clone(), recipe, {}).model);
  if (together) saved = calibrate_together(team, model, *samples, recipe, console.progress());
  const double calibration_seconds = seconds_now() - calibration_begun;
  if (team.rank > 0) return exit_done;  // one model is written once
  std::optional<StatsOrigin> origin;
  if (!options.save_stats.empty())
    origin = origin_of(model, data_arguments(options, recipe), *samples, Shard{});
  // Asked of the model before it is moved away.
  const std::map<std::string, std::string> metadata = input_metadata(options.data, model);

  const std::optional<RoundingJournal> journal = open_journal(options, recipe, model, samples);
  const bool in_pieces = has_left_weights(model, options);
  RunOptions run_options{.progress = console.progress(),
                         .observe = dump_observer(options.dump, options.output),
                         .saved_stats = saved ? &*saved : nullptr,
                         .journal = journal ? &*journal : nullptr,
                         .costs = options.cost_table ? &*options.cost_table : nullptr,
                         .keep_stats = !options.save_stats.empty()};
  const auto make = [&](const KeepTensor& keep) {
    run_options.keep = keep;
    Quantized made = naming_file(options.model, [&] {
      return quantize(std::move(model), samples ? &*samples : nullptr, recipe, onnx_runtime(),
                      run_options);
    });
    check_all_dumped(options.dump);
    // Not what the passes made of it: nothing was gained by them.
    if (made.unchanged) made.model = read_model(options.model, leave_from);
    if (!made.unchanged)
      for (const auto& [key, text] : metadata) made.model.set_metadata(key, text);
    return made;
  };
  Quantized result;
  if (in_pieces) {
    write_model_in_pieces(options.output, [&](const KeepTensor& keep) {
      result = make(keep);
      return std::move(result.model);
    });
    result.model = read_model(options.output, 0);
  } else {
    result = make({});
    write_model(result.model, options.output);
  }
  if (!options.save_stats.empty()) {
    CalibrationStats& stats = together ? *saved : result.stats;
    stats.origin = std::move(origin);
    write_stats(stats, options.save_stats);
  }
  if (journal) journal->clear();

  Report& report = result.report;
  if (together) report.calibration_seconds = calibration_seconds;
  report.model = options.model;
  report.output = options.output;
  report.output_sha256 = sha256_of_file(options.output);
  report.size_before = size_before;
  report.size_after = model_size(result.model, options.output);
  report.seconds = seconds_now() - begun;
  write_reports(options, report);
  tell_notes(report, console);
  if (console.options().json) {
    console.answer_json(to_json(report));
  } else {
    console.answer(summary(report));
  }
  return exit_done;
}

int run(Options& options, Console& console) {
  Recipe recipe = recipe_of(options.recipe);
  options.cost_table = read_costs(options.costs, recipe.cost_table);
  if (options.print_recipe) {
    console.answer_json(to_json(recipe));
    return exit_done;
  }
  check_files(options);
  // A shard is one process's own, whoever started it.
  const Team team = options.shard ? Team{} : join_team(console.options());
  Console silent(silenced(console.options()));
  return quantize_with(team, options, recipe, team.rank == 0 ? console : silent);
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_file(app, "MODEL.onnx", "the model, float", options->model)->required(false);
  add_text(app, "-o,--output", "OUT.onnx", "the quantized model", options->output);
  add_list(
      app, "--report", "FILE", "what was done to each layer, as FILE.json or FILE.html; repeatable",
      [options = options.get()](const std::string& text) { options->reports.push_back(text); });
  app.add_flag("--print-recipe", options->print_recipe,
               "print the recipe as JSON, for editing, and do nothing else");
  add_text(app, "--save-stats", "FILE",
           "keep the statistics of the activations, for --load-stats and ocs merge",
           options->save_stats);
  add_text(app, "--load-stats", "FILE",
           "statistics instead of a calibration; data are then only measured with",
           options->load_stats);
  add_text(app, "--shard", "I/N",
           "only the statistics of every N-th sample from the I-th on, for --save-stats; ocs merge "
           "makes the whole of them",
           [options = options.get()](const std::string& text) {
             options->shard = while_doing("--shard", [&] { return parse_shard(text); });
           });
  add_cost_options(app, options->costs);
  add_text(app, "--checkpoint", "FOLDER",
           "keep each layer that gptq or adaround has rounded there; the same command goes on from "
           "it after a "
           "run that was cut off, and removes it when it is done",
           options->checkpoint);
  add_list(
      app, "--dump-after", "STEP",
      "write the model after this step as OUT.onnx.STEP.txt; `all` for every step; repeatable",
      [options = options.get()](const std::string& text) { options->dump.wanted.push_back(text); });
  add_data_options(app, "--calib,--data", options->data);
  add_recipe_options(app, options->recipe);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command quantize_command{
    .name = "quantize",
    .summary = "Quantize a model",
    .examples =
        "  ocs quantize net.onnx -o net.int8.onnx --calib images/ --preprocess imagenet-torch\n"
        "  ocs quantize net.onnx -o net.w4.onnx --recipe weights-only --weight-bits 4 "
        "--expand-ratio 0.05\n"
        "  ocs quantize net.onnx -o out.onnx --calib data/ --keep-float first --keep-float "
        "'head/*' --report out.html\n"
        "  ocs quantize --recipe paper --weight-bits 5 --print-recipe > mine.json\n",
    .add = add,
};

}  // namespace ocs::cli
