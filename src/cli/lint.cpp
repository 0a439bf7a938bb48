// ocs lint: which nodes of a quantized model an engine runs in integer kernels, and what keeps the others from them.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_options.h"
#include "cli/options.h"
#include "cli/text_table.h"
#include "ocs/core/error.h"
#include "ocs/engine/kernel_times.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/lint/forecast.h"
#include "ocs/lint/time_nodes.h"
#include "ocs/passes/name_nodes.h"

namespace ocs::cli {
namespace {

struct Options {
  std::string model{};
  std::string target = "ort-cpu";
  bool all = false;
  std::size_t runs = 0;  // that are timed; 0: none
  DataArguments data{};
};

struct Lint {
  LintForecast forecast{};
  std::optional<NodeTimes> times{};

  [[nodiscard]] std::optional<double> milliseconds(std::size_t node) const {
    return times ? times->nodes[node] : std::nullopt;
  }
};

Json as_json(const NodeForecast& node, std::optional<double> milliseconds) {
  const LintRuleRow& rule = lint_rule(node.rule);
  Json json = {
      {"name", node.name}, {"op", node.op}, {"fused", node.is_fused()}, {"reason", node.reason}};
  if (!node.warning.empty()) json["warning"] = node.warning;
  if (!node.hint.empty()) json["hint"] = node.hint;
  if (node.macs) json["macs"] = *node.macs;
  if (milliseconds) json["ms"] = *milliseconds;
  if (node.is_fused()) return json;
  json["rule"] = rule.name;
  json["cost"] = rule.cost;
  json["fix"] = rule.fix;
  return json;
}

Json as_json(const NodeTimes& times) {
  Json conversions = Json::array();
  for (const KernelTime& kernel : times.conversions)
    conversions.push_back({{"name", kernel.name}, {"op", kernel.op}, {"ms", kernel.milliseconds}});
  return {{"run_ms", times.run},
          {"integer_ms", times.integers},
          {"float_ms", times.floats},
          {"conversion_ms", times.conversion_ms()},
          {"conversions", std::move(conversions)},
          {"other_ms", times.others}};
}

Json as_json(const Lint& lint, const LintTarget& target) {
  const LintForecast& result = lint.forecast;
  Json json = {{"target", target.name},
               {"engine", target.engine},
               {"unverified", !target.is_verified()},
               {"quantized", result.is_quantized},
               {"refused", result.refusal},
               {"fused", result.fused},
               {"of", result.nodes.size()},
               {"saturating_without_vnni", result.saturating},
               {"macs", result.macs},
               {"fused_macs", result.fused_macs}};
  if (lint.times) json["times"] = as_json(*lint.times);
  json["nodes"] = Json::array();
  for (std::size_t i = 0; i < result.nodes.size(); ++i)
    json["nodes"].push_back(as_json(result.nodes[i], lint.milliseconds(i)));
  return json;
}

std::string share_of(std::int64_t part, std::int64_t whole) {
  return fmt::format("{:.1f}%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// Of the multiply-accumulates that are known; "" for a node that has none.
std::string share_of(const NodeForecast& node, const LintForecast& result) {
  return node.macs && result.macs > 0 ? share_of(*node.macs, result.macs) : "";
}

std::string as_text(double milliseconds) { return fmt::format("{:.3f}", milliseconds); }

// What to change, once for each rule that has been met.
std::string advice(const Lint& lint) {
  std::string text;
  for (const LintRuleRow& row : lint_rules()) {
    if (row.rule == LintRule::integer_kernel) continue;
    std::size_t met = 0;
    double milliseconds = 0.0;
    for (std::size_t i = 0; i < lint.forecast.nodes.size(); ++i) {
      if (lint.forecast.nodes[i].rule != row.rule) continue;
      ++met;
      milliseconds += lint.milliseconds(i).value_or(0.0);
    }
    if (met == 0) continue;
    text += fmt::format("\n{} ({} node{}{}): {}\n  costs: {}\n  change: {}\n", row.name, met,
                        met == 1 ? "" : "s",
                        lint.times ? fmt::format(", {} ms", as_text(milliseconds)) : "", row.what,
                        row.cost, row.fix);
  }
  return text;
}

// "NAME 1.000, NAME 0.500" of some kernels that take most.
std::string largest_of(const std::vector<KernelTime>& kernels) {
  constexpr std::size_t most_shown = 3;
  std::vector<std::string> words;
  for (const KernelTime& kernel : std::span(kernels).first(std::min(kernels.size(), most_shown)))
    words.push_back(fmt::format("{} {}", kernel.name, as_text(kernel.milliseconds)));
  return fmt::format("{}", fmt::join(words, ", "));
}

// Where the time of a run goes; "" where none was timed.
std::string sum_of(const Lint& lint, const Options& options) {
  if (!lint.times)
    return options.runs > 0 ? "\nnot timed: the engine does not load the model\n" : "";
  const NodeTimes& times = *lint.times;
  std::vector<std::string> others;
  double rest = 0.0;
  for (const auto& [op, milliseconds] : times.others) {
    rest += milliseconds;
    others.push_back(fmt::format("{} {}", op, as_text(milliseconds)));
  }
  std::string text = fmt::format("\none run on this machine (one thread, median of {}): {} ms\n",
                                 options.runs, as_text(times.run));
  const auto line = [&](double milliseconds, std::string_view what, const std::string& more) {
    text += fmt::format("{:>9}  {}{}\n", as_text(milliseconds), what,
                        more.empty() ? "" : fmt::format(": {}", more));
  };
  line(times.integers, "integer kernels", "");
  line(times.floats, "float kernels", "");
  line(times.conversion_ms(), "QuantizeLinear and DequantizeLinear", largest_of(times.conversions));
  line(rest, "what else the engine runs", fmt::format("{}", fmt::join(others, ", ")));
  return text;
}

constexpr std::size_t widest = 200;

// The nodes of which there is something to say besides the rule.
std::string remarks(const LintForecast& result, const char* title,
                    std::string NodeForecast::*member) {
  std::vector<std::vector<std::string>> rows;
  for (const NodeForecast& node : result.nodes)
    if (!(node.*member).empty()) rows.push_back({node.name, node.op, node.*member});
  if (rows.empty()) return "";
  return "\n" + text_table({{"node"}, {"operator"}, {title}}, rows, widest);
}

// The nodes that stay in float, or all of them.
std::string table_of_nodes(const Lint& lint, bool all) {
  std::vector<Column> columns{{.head = "node"}, {.head = "operator"}};
  if (lint.times) columns.push_back({.head = "ms", .to_the_right = true});
  columns.insert(columns.end(),
                 {{.head = "MACs", .to_the_right = true}, {.head = "rule"}, {.head = "reason"}});
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < lint.forecast.nodes.size(); ++i) {
    const NodeForecast& node = lint.forecast.nodes[i];
    if (node.is_fused() && !all) continue;
    std::vector<std::string> row{node.name, node.op};
    const std::optional<double> milliseconds = lint.milliseconds(i);
    if (lint.times) row.push_back(milliseconds ? as_text(*milliseconds) : "");
    row.insert(row.end(), {share_of(node, lint.forecast), std::string(lint_rule(node.rule).name),
                           node.reason});
    rows.push_back(std::move(row));
  }
  return rows.empty() ? "" : "\n" + text_table(columns, rows, widest);
}

std::string as_text(const Lint& lint, const LintTarget& target, const Options& options) {
  const LintForecast& result = lint.forecast;
  std::string text =
      fmt::format("{}: {}, {} ({}){}\n", options.model, target.name, target.engine, target.what,
                  target.is_verified() ? "" : fmt::format("; unverified: {}", target.unverified));
  if (!result.refusal.empty()) text += fmt::format("refused: {}\n", result.refusal);
  if (!result.is_quantized)
    text += "not quantized: nothing in the model is, so all of it runs in float\n";
  text += table_of_nodes(lint, options.all);
  text += remarks(result, "warning: results may be wrong", &NodeForecast::warning);
  text += remarks(result, "hint: slower than it need be", &NodeForecast::hint);
  if (result.saturating > 0)
    text += fmt::format(
        "\non processors without VNNI sums of 16 bits can saturate in {} node{}, and results be "
        "wrong: "
        "--target ort-cpu-avx2 names {}\n",
        result.saturating, result.saturating == 1 ? "" : "s",
        result.saturating == 1 ? "it" : "them");
  return text + advice(lint) + sum_of(lint, options) +
         fmt::format("\nfused {} of {}{}\n", result.fused, result.nodes.size(),
                     result.macs > 0 ? fmt::format(", {} of the multiply-accumulates",
                                                   share_of(result.fused_macs, result.macs))
                                     : "");
}

// The engine's own times, on the model as it stands.
NodeTimes timed(const Model& model, const LintForecast& forecast, const Options& options,
                Console& console) {
  const NamedTensors inputs = first_inputs(options.data, model, console);
  return time_nodes(model, forecast,
                    kernel_times(onnx_runtime(), model, {}, inputs, {.runs = options.runs}));
}

void check(const Options& options, const LintTarget& target) {
  if (options.runs == 0) {
    const DataArguments& data = options.data;
    if (data.given() || !data.format.empty() || !data.preprocess.empty() || data.skip_bad_samples)
      throw_bad_input("options of data are for --time N, which is not given");
    return;
  }
  constexpr std::size_t most = 200;  // the profile of all of them is in memory
  if (options.runs > most) throw_bad_input(fmt::format("--time: at most {} runs", most));
  if (!target.is_onnx_runtime || target.name == "ort-arm")
    throw_bad_input(fmt::format("--time: runs ONNX Runtime on this machine, not {}", target.name));
}

int run(const Options& options, Console& console) {
  const LintTarget& target = lint_target(options.target);
  check(options, target);
  Model model = read_model(options.model);
  // The engine's kernels are known by the names of nodes.
  if (options.runs > 0) model = name_nodes(std::move(model)).model;
  Lint lint;
  lint.forecast = naming_file(options.model, [&] { return forecast(model, target); });
  if (options.runs > 0 && lint.forecast.refusal.empty())
    lint.times = timed(model, lint.forecast, options, console);
  if (console.options().json) {
    console.answer_json(as_json(lint, target));
  } else {
    console.answer(as_text(lint, target, options));
  }
  return lint.forecast.is_clean() ? exit_done : exit_check_failed;
}

std::string target_help() {
  std::string text = "the engine to forecast for (default: ort-cpu):";
  for (const LintTarget& target : lint_targets())
    text += fmt::format(" {}{}", target.name, target.is_verified() ? "" : " (unverified)");
  return text;
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_file(app, "MODEL.onnx", "the model, quantized by any tool", options->model);
  add_text(app, "--target", "PROFILE", target_help(), options->target);
  app.add_flag("--all", options->all, "show every node, not only those that stay in float");
  add_number(app, "--time", "N",
             "also run the model N times in ONNX Runtime on this machine, with one thread, and "
             "tell what each node costs",
             options->runs);
  add_data_options(app, "--data", options->data);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command lint_command{
    .name = "lint",
    .summary =
        "Tell which nodes of a quantized model run in integer kernels, and why not the others",
    .examples =
        "  ocs lint net.int8.onnx\n"
        "  ocs lint net.int8.onnx --target ort-cpu --all\n"
        "  ocs lint net.int8.onnx --time 20\n"
        "  ocs lint net.int8.onnx --json | jq '.nodes[] | select(.fused | not)'\n",
    .add = add,
};

}  // namespace ocs::cli
