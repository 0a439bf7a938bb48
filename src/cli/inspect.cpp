// ocs inspect: a model's layers, the thresholds that each clip method would choose, the channels that would be split.
#include <memory>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/inspect_layers.h"
#include "cli/options.h"
#include "cli/text_table.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/passes/passes.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/report/figures.h"
#include "ocs/report/report_json.h"

namespace ocs::cli {
namespace {

struct Options {
  std::string model{};
  Recipe
      recipe{};  // carries bits, ratio and folding, so that they are read and checked as everywhere
};

Json as_json(const InspectedLayer& layer) {
  Json thresholds = Json::object();
  for (const NamedThreshold& each : layer.thresholds) thresholds[each.clip] = each.threshold;
  Json split = {{"channels", layer.split.channels}, {"max_abs_after", layer.split.max_abs_after}};
  if (!layer.split.reason.empty()) split["reason"] = layer.split.reason;
  return {{"name", layer.name},
          {"op", layer.op},
          {"weight", layer.weight},
          {"shape", layer.shape},
          {"macs", layer.macs ? Json(*layer.macs) : Json(nullptr)},
          {"max_abs", layer.max_abs},
          {"thresholds", std::move(thresholds)},
          {"split", std::move(split)}};
}

Json as_json(const Inspection& inspection, const Options& options) {
  Json json = {{"model", options.model},
               {"bits", options.recipe.weight_bits},
               {"expand_ratio", options.recipe.expand_ratio}};
  json["layers"] = Json::array();
  for (const InspectedLayer& layer : inspection.layers) json["layers"].push_back(as_json(layer));
  json["relative"] = Json::array();
  for (const RelativeCostAt& at : inspection.relative) {
    Json cost = to_json(at.cost);
    cost["expand_ratio"] = at.expand_ratio;
    json["relative"].push_back(std::move(cost));
  }
  json["skipped"] = Json::array();
  for (const NotInspected& each : inspection.skipped) {
    json["skipped"].push_back({{"name", each.name}, {"op", each.op}, {"reason", each.reason}});
  }
  return json;
}

std::string splits_text(const InspectedSplit& split) {
  constexpr std::size_t shown = 4;
  if (split.channels.empty()) return split.reason.empty() ? "none" : "-";
  const std::size_t count = std::min(split.channels.size(), shown);
  const std::vector<int> first(split.channels.begin(),
                               split.channels.begin() + static_cast<std::ptrdiff_t>(count));
  return fmt::format("{}: {}{}", split.channels.size(), fmt::join(first, " "),
                     count == split.channels.size() ? "" : " ..");
}

std::vector<std::string> row_of(const InspectedLayer& layer) {
  const auto share = [&](float value) {
    return layer.max_abs == 0.0F ? "-" : fmt::format("{:.3f}", value / layer.max_abs);
  };
  std::vector<std::string> cells{layer.name, layer.op, to_string(layer.shape),
                                 layer.macs ? count_text(*layer.macs) : "-",
                                 fmt::format("{:.4g}", layer.max_abs)};
  for (const NamedThreshold& each : layer.thresholds) {
    if (each.clip != "max") cells.push_back(share(each.threshold));
  }
  cells.resize(9, "-");
  cells.push_back(splits_text(layer.split));
  cells.push_back(share(layer.split.max_abs_after));
  return cells;
}

std::string as_text(const Inspection& inspection, const Options& options, std::int64_t opset) {
  std::int64_t weights = 0;
  std::int64_t macs = 0;
  std::vector<std::vector<std::string>> rows;
  for (const InspectedLayer& layer : inspection.layers) {
    weights += element_count(layer.shape);
    macs += layer.macs.value_or(0);
    rows.push_back(row_of(layer));
  }
  std::string text =
      fmt::format("{}: opset {}, {} layer{}, {} weights, {} MACs\n", options.model, opset,
                  inspection.layers.size(), inspection.layers.size() == 1 ? "" : "s",
                  count_text(weights), count_text(macs));
  text += fmt::format(
      "thresholds at {} bits as shares of max|w|; channels split at ratio {}, and the share of "
      "max|w| left\n\n",
      options.recipe.weight_bits, options.recipe.expand_ratio);
  text += text_table({{"layer"},
                      {"operator"},
                      {"weight"},
                      {"MACs", true},
                      {"max|w|", true},
                      {"mse", true},
                      {"mse-hist", true},
                      {"aciq", true},
                      {"kl", true},
                      {"split channels"},
                      {"left", true}},
                     rows);
  if (!inspection.relative.empty())
    text += "\nwith copies over without, of the layers that recipe paper quantizes:\n";
  for (const RelativeCostAt& at : inspection.relative)
    text += fmt::format("  ratio {:<5} {}\n", at.expand_ratio, relative_text(at.cost));
  if (!inspection.skipped.empty()) text += "\nnot layers for ocs:\n";
  for (const NotInspected& each : inspection.skipped)
    text += fmt::format("  {} ({}): {}\n", each.name, each.op, each.reason);
  return text;
}

int run(const Options& options, Console& console) {
  check(options.recipe);
  Model model = read_model(options.model);
  const std::int64_t opset = model.opset();
  model = name_values(name_nodes(std::move(model)).model).model;
  model = lift_constants(std::move(model)).model;
  if (options.recipe.fold_batchnorm) model = fold_batchnorm(std::move(model), false).pass.model;
  const Inspection inspection = inspect_layers(model, onnx_runtime(),
                                               {.bits = options.recipe.weight_bits,
                                                .expand_ratio = options.recipe.expand_ratio,
                                                .seed = options.recipe.seed,
                                                .progress = console.progress()});
  if (!inspection.why_no_macs.empty())
    console.note("MACs are unknown, the model did not run on made-up input: " +
                 inspection.why_no_macs);
  if (console.options().json) {
    console.answer_json(as_json(inspection, options));
  } else {
    console.answer(as_text(inspection, options, opset));
  }
  return exit_done;
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->recipe.expand_ratio = 0.05;
  options->recipe.fold_batchnorm = false;
  add_file(app, "MODEL.onnx", "the model, float", options->model);
  const auto set = [&options = *options](const char* key) {
    return [&options, key](const std::string& text) { set_option(options.recipe, key, text); };
  };
  add_text(app, "--bits", "B", "bits of the weights, 2..8 (default: 8)", set("weight_bits"));
  add_text(app, "--expand-ratio", "R",
           "ceil(R * channels) splits in each layer, 0..4 (default: 0.05)", set("expand_ratio"));
  add_switch(app, "--fold-batchnorm", "fold BatchNormalization first (default: off)",
             set("fold_batchnorm"));
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command inspect_command{
    .name = "inspect",
    .summary = "Show a model's layers, their clip thresholds and outlier channels; needs no data",
    .examples =
        "  ocs inspect resnet50.onnx\n"
        "  ocs inspect resnet50.onnx --bits 4 --expand-ratio 0.02 --json\n",
    .add = add,
};

}  // namespace ocs::cli
