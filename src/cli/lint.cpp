// ocs lint: which nodes of a quantized model an engine runs in integer kernels, and what keeps the others from them.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/text_table.h"
#include "ocs/io/model_file.h"
#include "ocs/lint/forecast.h"

namespace ocs::cli {
namespace {

struct Options {
  std::string model{};
  std::string target = "ort-cpu";
  bool all = false;
};

Json as_json(const NodeForecast& node) {
  const LintRuleRow& rule = lint_rule(node.rule);
  Json json = {
      {"name", node.name}, {"op", node.op}, {"fused", node.is_fused()}, {"reason", node.reason}};
  if (!node.warning.empty()) json["warning"] = node.warning;
  if (!node.hint.empty()) json["hint"] = node.hint;
  if (node.macs) json["macs"] = *node.macs;
  if (node.is_fused()) return json;
  json["rule"] = rule.name;
  json["cost"] = rule.cost;
  json["fix"] = rule.fix;
  return json;
}

Json as_json(const LintForecast& result, const LintTarget& target) {
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
  json["nodes"] = Json::array();
  for (const NodeForecast& node : result.nodes) json["nodes"].push_back(as_json(node));
  return json;
}

std::string share_of(std::int64_t part, std::int64_t whole) {
  return fmt::format("{:.1f}%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// Of the multiply-accumulates that are known; "" for a node that has none.
std::string share_of(const NodeForecast& node, const LintForecast& result) {
  return node.macs && result.macs > 0 ? share_of(*node.macs, result.macs) : "";
}

// What to change, once for each rule that has been met.
std::string advice(const LintForecast& result) {
  std::string text;
  for (const LintRuleRow& row : lint_rules()) {
    const auto met = std::ranges::count(result.nodes, row.rule, &NodeForecast::rule);
    if (row.rule == LintRule::integer_kernel || met == 0) continue;
    text += fmt::format("\n{} ({} node{}): {}\n  costs: {}\n  change: {}\n", row.name, met,
                        met == 1 ? "" : "s", row.what, row.cost, row.fix);
  }
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

std::string as_text(const LintForecast& result, const LintTarget& target, const Options& options) {
  std::string text =
      fmt::format("{}: {}, {} ({}){}\n", options.model, target.name, target.engine, target.what,
                  target.is_verified() ? "" : fmt::format("; unverified: {}", target.unverified));
  if (!result.refusal.empty()) text += fmt::format("refused: {}\n", result.refusal);
  if (!result.is_quantized)
    text += "not quantized: nothing in the model is, so all of it runs in float\n";
  std::vector<std::vector<std::string>> rows;
  for (const NodeForecast& node : result.nodes) {
    if (node.is_fused() && !options.all) continue;
    rows.push_back({node.name, node.op, share_of(node, result),
                    std::string(lint_rule(node.rule).name), node.reason});
  }
  if (!rows.empty())
    text += "\n" + text_table({{.head = "node"},
                               {.head = "operator"},
                               {.head = "MACs", .to_the_right = true},
                               {.head = "rule"},
                               {.head = "reason"}},
                              rows, widest);
  text += remarks(result, "warning: results may be wrong", &NodeForecast::warning);
  text += remarks(result, "hint: slower than it need be", &NodeForecast::hint);
  if (result.saturating > 0)
    text += fmt::format(
        "\non processors without VNNI sums of 16 bits can saturate in {} node{}, and results be "
        "wrong: "
        "--target ort-cpu-avx2 names {}\n",
        result.saturating, result.saturating == 1 ? "" : "s",
        result.saturating == 1 ? "it" : "them");
  return text + advice(result) +
         fmt::format("\nfused {} of {}{}\n", result.fused, result.nodes.size(),
                     result.macs > 0 ? fmt::format(", {} of the multiply-accumulates",
                                                   share_of(result.fused_macs, result.macs))
                                     : "");
}

int run(const Options& options, Console& console) {
  const LintTarget& target = lint_target(options.target);
  const Model model = read_model(options.model);
  const LintForecast result = naming_file(options.model, [&] { return forecast(model, target); });
  if (console.options().json) {
    console.answer_json(as_json(result, target));
  } else {
    console.answer(as_text(result, target, options));
  }
  return result.is_clean() ? exit_done : exit_check_failed;
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
        "  ocs lint net.int8.onnx --json | jq '.nodes[] | select(.fused | not)'\n",
    .add = add,
};

}  // namespace ocs::cli
