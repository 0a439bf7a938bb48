// ocs bench: latency side by side, file size, peak memory.
#include <chrono>
#include <memory>

#include <fmt/format.h>

#include "cli/child_process.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/costs.h"
#include "cli/data_options.h"
#include "cli/file_size.h"
#include "cli/latency.h"
#include "cli/options.h"
#include "cli/text_table.h"
#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/report/figures.h"

namespace ocs::cli {
namespace {

struct Options {
  std::vector<std::string> models{};
  std::size_t runs = 30;
  std::size_t warmup = 3;
  EngineOptions engine{};
  std::vector<std::string> session_words{};  // as given, for the child process
  DataArguments data{};
  std::string costs{};  // where a cost table goes
};

struct Timed {
  std::string file{};
  std::int64_t size = 0;
  NamedTensors inputs{};
  RunModel run{};
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Timed open(const std::string& file, const Options& options, Console& console) {
  const Model model = read_model(file);
  Timed timed{.file = file,
              .size = model_size(model, file),
              .inputs = first_inputs(options.data, model, console)};
  timed.run = onnx_runtime()(model, options.engine);
  return timed;
}

void run_model(const Timed& timed) {
  timed.run.run(timed.inputs, [](std::span<const OutputView>) {});
}

// In megabytes, of a process of its own that opens the model and runs it.
double peak_memory(const std::string& file, const Options& options) {
  std::vector<std::string> words{"bench-child", file, "--quiet", "--intra-op-threads",
                                 std::to_string(options.engine.intra_op_threads)};
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) words.push_back(name + "=" + value);
  };
  add("--data", options.data.path);
  add("--format", options.data.format);
  add("--preprocess", options.data.preprocess);
  if (options.data.skip_bad_samples) words.emplace_back("--skip-bad-samples");
  for (const std::string& word : options.session_words) add("--session", word);
  const Json answer = while_doing(file + ", peak memory",
                                  [&] { return parse_json(output_of_self(words), "answer"); });
  return value_or(answer, "peak_bytes", 0.0) / 1e6;
}

struct Row {
  Timed timed{};
  Latency latency{};
  double peak_mb = 0.0;
};

Json as_json(const std::vector<Row>& rows) {
  Json models = Json::array();
  for (const Row& row : rows) {
    models.push_back({{"file", row.timed.file},
                      {"median_ms", row.latency.median_ms},
                      {"p10_ms", row.latency.p10_ms},
                      {"p90_ms", row.latency.p90_ms},
                      {"ratio", row.latency.ratio},
                      {"size", row.timed.size},
                      {"peak_mb", row.peak_mb}});
  }
  Json json = Json::object();
  json["models"] = std::move(models);
  return json;
}

std::string as_text(const std::vector<Row>& rows, const Options& options) {
  std::vector<std::vector<std::string>> cells;
  for (const Row& row : rows) {
    const auto ms = [](double value) { return fmt::format("{:.3f}", value); };
    cells.push_back({row.timed.file, ms(row.latency.median_ms), ms(row.latency.p10_ms),
                     ms(row.latency.p90_ms), fmt::format("{:.3f}", row.latency.ratio),
                     bytes_text(row.timed.size), fmt::format("{:.0f} MB", row.peak_mb)});
  }
  return fmt::format("milliseconds a run, {} runs each in turn, {} thread{}\n", options.runs,
                     options.engine.intra_op_threads,
                     options.engine.intra_op_threads == 1 ? "" : "s") +
         text_table({{"model"},
                     {"median", true},
                     {"p10", true},
                     {"p90", true},
                     {"ratio", true},
                     {"size", true},
                     {"peak memory", true}},
                    cells, 60);
}

int run(const Options& options, Console& console) {
  if (options.runs == 0) throw_bad_input("--runs: at least 1");
  if (!options.costs.empty()) {
    if (!options.models.empty())
      throw_bad_input("--costs: times networks of its own, pass no models beside it");
    measure_costs(options.costs, options.runs, console);
    return exit_done;
  }
  if (options.models.empty())
    throw_bad_input("bench: MODEL.onnx is required; see ocs bench --help");
  if (options.engine.intra_op_threads < 1) throw_bad_input("--intra-op-threads: at least 1");
  std::vector<Row> rows;
  for (const std::string& file : options.models)
    rows.push_back({.timed = open(file, options, console)});
  std::vector<std::function<void()>> actions;
  for (const Row& row : rows) actions.emplace_back([&timed = row.timed] { run_model(timed); });
  const Progress progress = console.progress();
  const std::size_t rounds = options.warmup + options.runs;
  const auto latencies =
      time_in_turn(actions, options.warmup, options.runs, seconds_now, [&](std::size_t round) {
        if (progress) progress("bench", round, rounds);
      });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].latency = latencies[i];
    rows[i].peak_mb = peak_memory(rows[i].timed.file, options);
  }
  if (console.options().json) {
    console.answer_json(as_json(rows));
  } else {
    console.answer(as_text(rows, options));
  }
  return exit_done;
}

int run_child(const Options& options, Console& console) {
  const Timed timed = open(options.models.front(), options, console);
  run_model(timed);
  run_model(timed);
  console.answer_json(Json::object({{"peak_bytes", peak_memory_of_self()}}));
  return exit_done;
}

// "key=value" of the engine's session.
void add_session_entry(Options& options, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw_bad_input(fmt::format("--session: '{}' is not key=value", text));
  options.engine.config[text.substr(0, equals)] = text.substr(equals + 1);
  options.session_words.push_back(text);
}

std::shared_ptr<Options> add_options(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_files(app, "MODEL.onnx", "models to time; ratios are to the first", options->models)
      ->required(false);
  add_number(app, "--runs", "N", "runs of each model that are counted (default: 30)",
             options->runs);
  add_text(app, "--costs", "FILE",
           "time the engine's integer kernels instead, and write what they cost on this machine: "
           "the prices of "
           "ocs quantize --latency-budget",
           options->costs);
  add_number(app, "--warmup", "N", "runs before those (default: 3)", options->warmup);
  add_number(app, "--intra-op-threads", "N", "threads inside one run (default: 1)",
             options->engine.intra_op_threads);
  add_list(
      app, "--session", "KEY=VALUE",
      "an entry of the engine's session configuration, as session.disable_quant_qdq=1; repeatable",
      [options](const std::string& text) { add_session_entry(*options, text); });
  add_data_options(app, "--data", options->data);
  return options;
}

Run add(CLI::App& app) {
  const auto options = add_options(app);
  return [options](Console& console) { return run(*options, console); };
}

Run add_child(CLI::App& app) {
  const auto options = add_options(app);
  return [options](Console& console) { return run_child(*options, console); };
}

}  // namespace

constinit const Command bench_command{
    .name = "bench",
    .summary = "Time models side by side: latency, file size, peak memory",
    .examples =
        "  ocs bench net.onnx net.int8.onnx\n"
        "  ocs bench net.onnx net.int8.onnx --runs 100 --intra-op-threads 2 --json\n"
        "  ocs bench --costs costs.json\n",
    .add = add,
};

constinit const Command bench_child_command{
    .name = "bench-child",
    .summary = "One model in a process of its own; what ocs bench starts for peak memory",
    .examples = "",
    .add = add_child,
    .hidden = true,
};

}  // namespace ocs::cli
