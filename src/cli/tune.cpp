// ocs tune: the smallest quantized model that is good enough, and the recipe that makes it.
#include "ocs/tune/tune.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/costs.h"
#include "cli/data_options.h"
#include "cli/file_size.h"
#include "cli/latency.h"
#include "cli/model_metadata.h"
#include "cli/options.h"
#include "cli/output_file.h"
#include "cli/recipe_options.h"
#include "cli/text_table.h"
#include "ocs/core/sha256.h"
#include "ocs/core/write_file.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/evaluate/accuracy.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/pipeline/sensitivity.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/report/figures.h"
#include "ocs/report/report_json.h"
#include "ocs/report/report_text.h"

namespace ocs::cli {
namespace {

constexpr std::size_t timed_runs = 30;
constexpr std::size_t warm_up_runs = 3;
// Fewer measured samples say too little to choose by.
constexpr std::size_t least_measured = 64;

struct Options {
  std::string model{};
  std::string output{};
  std::string recipe_output{};
  RecipeArguments recipe{};
  DataArguments data{};
  std::string validation{};
  TuneGoal goal{};
  double time_limit = 0.0;
  CostOptions costs{};
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string recipe_file(const Options& options) {
  if (!options.recipe_output.empty()) return options.recipe_output;
  std::string base = options.output;
  if (base.ends_with(".onnx")) base.resize(base.size() - 5);
  return base + ".recipe.json";
}

void check_options(const Options& options) {
  if (options.output.empty()) throw_bad_input("tune: where to? pass -o OUT.onnx");
  check_output(options.output, "-o");
  check_output(recipe_file(options), "--save-recipe");
  if (same_file(options.model, options.output))
    throw_bad_input(fmt::format("-o {}: is the input itself", options.output));
  if (!options.data.given()) throw_bad_input("tune: no data to measure with: pass --calib DATA");
  check(options.goal);
}

// Makes and measures the models of the trials; keeps the best.
class Workshop {
 public:
  // `costs`: null for the program's own.
  Workshop(const Options& options, const Recipe& base, const CostTable* costs, Console& console)
      : options_(options), costs_(costs), console_(console), model_(read_model(options.model)) {
    DataArguments data = options.data;
    data.count = base.calib_count;
    data.seed = base.seed;
    const bool labels_calibration = options.validation.empty();
    if (!labels_calibration) data.labels.clear();
    samples_ = open_data(data, {&model_}, console);
    if (!options.data.labels.empty() || !labels_calibration) open_labelled(labels_calibration);
    if (!takes_saved_statistics(base)) return;
    const Prepared prepared = prepare(model_.clone(), base, {});
    stats_ = collect_statistics(prepared.model, samples_, base, onnx_runtime(),
                                {.progress = console.progress(), .keep_stats = true})
                 .stats;
  }

  TuneFigures measure(const Recipe& recipe) {
    last_ = quantize_with(recipe);
    TuneFigures figures{.sqnr_db = std::numeric_limits<double>::infinity()};
    for (const OutputReport& output : last_.report.outputs)
      figures.sqnr_db = std::min(figures.sqnr_db, output.sqnr_db);
    if (float_top1_)
      figures.drop = *float_top1_ - top1_of(last_.model);
    else if (last_.report.agreement_percent)
      figures.drop = 100.0 - *last_.report.agreement_percent;
    if (options_.goal.max_latency_ms) figures.latency_ms = latency_of(last_.model);
    std::int64_t weights = 0;
    for (const LayerReport& layer : last_.report.layers) {
      if (!layer.quantized) continue;
      weights += layer.weights;
      figures.weight_bits += layer.weights * layer.weight_bits;
      figures.extra_macs += layer.extra_macs;
    }
    // Layers in float are those that are missing: the first trial quantizes all that can be.
    weights_ = std::max(weights_, weights);
    figures.weight_bits += 32 * (weights_ - weights);
    return figures;
  }

  std::vector<std::string> rank(Recipe recipe) {
    recipe.rounding = NearestRounding{};  // of the same layers, at a fraction of the time
    std::vector<std::string> names;
    for (const LayerSensitivity& layer :
         measure_sensitivity(model_.clone(), samples_, recipe, onnx_runtime(), run_options())
             .layers)
      names.push_back(layer_name(layer.layer));
    return names;
  }

  void keep_last() { best_ = std::move(last_); }
  [[nodiscard]] std::int64_t weights() const { return weights_; }

  // Writes the best model; gives its report.
  Report write_best(double seconds) {
    if (best_.unchanged) best_.model = read_model(options_.model);
    for (const auto& [key, text] : input_metadata(options_.data, model_))
      best_.model.set_metadata(key, text);
    write_model(best_.model, options_.output);
    Report& report = best_.report;
    report.model = options_.model;
    report.output = options_.output;
    report.output_sha256 = sha256_of_file(options_.output);
    report.size_before = model_size(model_, options_.model);
    report.size_after = model_size(best_.model, options_.output);
    report.seconds = seconds;
    return report;
  }

 private:
  [[nodiscard]] RunOptions run_options() const {
    return {.progress = console_.progress(), .saved_stats = &stats_, .costs = costs_};
  }

  void open_labelled(bool labels_calibration) {
    if (labels_calibration) {
      labelled_ = samples_;
    } else {
      DataArguments data = options_.data;
      data.option = "--val";
      data.path = options_.validation;
      data.synthetic = 0;
      labelled_ = open_data(data, {&model_}, console_);
    }
    if (!labelled_.has_labels)
      throw_bad_input(options_.validation + ": has no labels: pass --labels FILE");
    float_top1_ = top1_of(model_);
    console_.note(fmt::format("float top-1 {:.2f}% on {} samples", *float_top1_, labelled_.count));
  }

  Quantized quantize_with(const Recipe& recipe) const {
    return while_doing(options_.model, [&] {
      return quantize(model_.clone(), &samples_, recipe, onnx_runtime(), run_options());
    });
  }

  [[nodiscard]] double top1_of(const Model& model) const {
    const RunModel run = onnx_runtime()(model, {.borrow_weights = true});
    return measure_accuracy(run, labelled_, console_.progress()).top1_percent();
  }

  [[nodiscard]] double latency_of(const Model& model) const {
    const RunModel run = onnx_runtime()(model, {.borrow_weights = true});
    const NamedTensors inputs = samples_.load(0).inputs;
    const auto action = [&] { run.run(inputs, [](std::span<const OutputView>) {}); };
    return time_in_turn({action}, warm_up_runs, timed_runs, seconds_now, {}).front().median_ms;
  }

  const Options& options_;
  const CostTable* costs_;
  Console& console_;
  Model model_;
  Samples samples_{};
  Samples labelled_{};
  std::optional<double> float_top1_{};
  CalibrationStats stats_{};  // empty where the recipe takes none
  std::int64_t weights_ = 0;  // of all layers that can be quantized
  Quantized last_{};
  Quantized best_{};
};

// The options that say where the samples of --calib come from, as given.
std::string data_words(const DataArguments& data) {
  std::string words = data.synthetic > 0 ? fmt::format("--synthetic {}", data.synthetic)
                                         : fmt::format("--calib {}", data.path);
  if (!data.format.empty()) words += " --format " + data.format;
  if (!data.preprocess.empty()) words += " --preprocess " + data.preprocess;
  if (data.skip_bad_samples) words += " --skip-bad-samples";
  return words;
}

double bits_a_weight(const Trial& trial, std::int64_t weights) {
  return weights == 0
             ? 0.0
             : static_cast<double>(trial.figures.weight_bits) / static_cast<double>(weights);
}

std::string optional_text(const std::optional<double>& value, const std::string& format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string trial_table(const TuneResult& result, std::int64_t weights) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < result.trials.size(); ++i) {
    const Trial& trial = result.trials[i];
    rows.push_back(
        {trial.what, fmt::format("{:.2f}", bits_a_weight(trial, weights)),
         fmt::format("{:.1f}", trial.figures.sqnr_db), optional_text(trial.figures.drop, "{:.2f}"),
         optional_text(trial.figures.latency_ms, "{:.3f}"), fmt::format("{:.1f}", trial.seconds),
         i == result.chosen ? "chosen"
         : trial.passes     ? "passes"
                            : "fails"});
  }
  return text_table({{"tried"},
                     {"bits/weight", true},
                     {"dB", true},
                     {"drop %", true},
                     {"ms", true},
                     {"s", true},
                     {"goal"}},
                    rows, 60);
}

Json optional_json(const std::optional<double>& value) {
  return value ? number(*value) : Json(nullptr);
}

Json to_json(const TuneResult& result, std::int64_t weights) {
  Json trials = Json::array();
  for (const Trial& trial : result.trials)
    trials.push_back({{"what", trial.what},
                      {"bits_per_weight", bits_a_weight(trial, weights)},
                      {"sqnr_db", number(trial.figures.sqnr_db)},
                      {"drop", optional_json(trial.figures.drop)},
                      {"latency_ms", optional_json(trial.figures.latency_ms)},
                      {"extra_macs", trial.figures.extra_macs},
                      {"seconds", trial.seconds},
                      {"passes", trial.passes}});
  return {{"trials", std::move(trials)},
          {"chosen", result.chosen ? Json(*result.chosen) : Json(nullptr)},
          {"out_of_time", result.out_of_time},
          {"reason", result.reason}};
}

int run(const Options& options, Console& console) {
  const double begun = seconds_now();
  check_options(options);
  Recipe base = recipe_of(options.recipe);
  base.measure_count = std::max(base.measure_count, least_measured);
  const std::optional<CostTable> costs = read_costs(options.costs, base.cost_table);
  std::optional<Workshop> workshop;
  workshop.emplace(options, base, costs ? &*costs : nullptr, console);
  const auto finished = [&](const Trial& trial, bool is_best) {
    if (is_best) workshop->keep_last();
    console.note(fmt::format("{}: {:.1f} dB, drop {}%{}", trial.what, trial.figures.sqnr_db,
                             optional_text(trial.figures.drop, "{:.2f}"),
                             trial.passes ? ", reaches the goal" : ""));
  };
  const TuneResult result =
      tune({.goal = options.goal,
            .base = base,
            .time_limit = options.time_limit,
            .measure = [&](const Recipe& recipe) { return workshop->measure(recipe); },
            .rank = [&](const Recipe& recipe) { return workshop->rank(recipe); },
            .finished = finished,
            .clock = seconds_now});
  Json json = to_json(result, workshop->weights());
  std::string text = trial_table(result, workshop->weights());
  if (result.chosen) {
    const Trial& chosen = result.trials[*result.chosen];
    const Report report = workshop->write_best(seconds_now() - begun);
    write_file(recipe_file(options), to_text(ocs::to_json(chosen.recipe)) + "\n");
    json["recipe"] = ocs::to_json(chosen.recipe);
    json["recipe_file"] = recipe_file(options);
    json["report"] = ocs::to_json(report);
    text +=
        fmt::format("\nchosen: {}: {}\nthe same again: ocs quantize {} -o {} {} --recipe {}\n\n{}",
                    chosen.what, result.reason, options.model, options.output,
                    data_words(options.data), recipe_file(options), summary(report));
  } else {
    text += fmt::format("\nnothing is written: {}\n", result.reason);
  }
  if (console.options().json)
    console.answer_json(json);
  else
    console.answer(text);
  return result.chosen ? exit_done : exit_check_failed;
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_file(app, "MODEL.onnx", "the model, float", options->model);
  add_text(app, "-o,--output", "OUT.onnx", "the quantized model", options->output);
  add_text(app, "--save-recipe", "FILE.json", "the recipe that makes it (default: OUT.recipe.json)",
           options->recipe_output);
  const std::string group = "What is to be reached (at least one)";
  add_number(app, "--max-drop", "D",
             "lose at most D percent of top-1, with --labels; without, at most D percent of the "
             "samples get another class than in float",
             options->goal.max_drop)
      ->group(group);
  add_number(app, "--min-sqnr", "S", "at least S dB of signal-to-noise at every output",
             options->goal.min_sqnr_db)
      ->group(group);
  add_number(app, "--max-latency", "X", "at most X milliseconds a run, on this machine",
             options->goal.max_latency_ms)
      ->group(group);
  add_number(app, "--time-limit", "SECONDS", "try nothing more after this time; 0: no limit",
             options->time_limit);
  add_data_options(app, "--calib,--data", options->data);
  add_labels_option(app, options->data);
  add_text(app, "--val", "DATA",
           "samples with labels, inside or by --labels (default: those of --calib with --labels)",
           options->validation);
  add_cost_options(app, options->costs);
  add_recipe_options(app, options->recipe);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command tune_command{
    .name = "tune",
    .summary = "Search for the smallest model that is good enough",
    .examples =
        "  ocs tune net.onnx -o net.small.onnx --calib images/ --min-sqnr 20\n"
        "  ocs tune net.onnx -o net.small.onnx --calib images/ --val val/ --labels val.txt "
        "--max-drop 0.5\n"
        "  ocs tune net.onnx -o net.fast.onnx --calib images/ --max-latency 4 --recipe "
        "int8-per-tensor\n"
        "  ocs quantize net.onnx -o again.onnx --calib images/ --recipe net.small.recipe.json\n",
    .add = add,
};

}  // namespace ocs::cli
