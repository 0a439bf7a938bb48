// ocs inspect: a model's layers, the thresholds that each clip method would choose, the channels that would be split, and with data
// what each layer does to the outputs.
#include <algorithm>
#include <array>
#include <memory>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/costs.h"
#include "cli/data_options.h"
#include "cli/inspect_layers.h"
#include "cli/inspect_sensitivity.h"
#include "cli/options.h"
#include "cli/recipe_options.h"
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
  bool sensitivity = false;
  RecipeArguments quantization{};  // what --sensitivity tries
  DataArguments data{};
  CostOptions costs{};
};

// Keys that say something about the layers as they stand.
constexpr std::array<std::string_view, 3> keys_of_layers{"weight_bits", "expand_ratio",
                                                         "fold_batchnorm"};

// Samples that outputs are compared on, where --measure-count does not say.
constexpr std::size_t samples_of_sensitivity = 64;

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

// Settings for the layers' table go to its own recipe too, whose defaults are others.
void set_for_layers(Options& options) {
  for (const auto& [key, text] : options.quantization.settings)
    if (std::ranges::find(keys_of_layers, key) != keys_of_layers.end())
      set_option(options.recipe, key, text);
}

// An option that only --sensitivity looks at, "" where none is given.
std::string option_without_use(const Options& options) {
  if (options.data.given()) return options.data.path.empty() ? "--synthetic" : options.data.option;
  if (options.quantization.recipe != RecipeArguments{}.recipe) return "--recipe";
  if (!options.costs.file.empty()) return "--costs";
  for (const auto& [key, text] : options.quantization.settings)
    if (std::ranges::find(keys_of_layers, key) == keys_of_layers.end()) return option_name(key);
  return "";
}

Recipe recipe_to_try(const Options& options) {
  Recipe recipe = recipe_of(options.quantization);
  const auto is_count = [](const auto& setting) { return setting.first == "measure_count"; };
  if (std::ranges::none_of(options.quantization.settings, is_count))
    recipe.measure_count = samples_of_sensitivity;
  return recipe;
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

std::optional<Sensitivity> sensitivity_of(const Options& options, Console& console) {
  if (!options.sensitivity) return std::nullopt;
  Recipe recipe = recipe_to_try(options);
  const std::optional<CostTable> costs = read_costs(options.costs, recipe.cost_table);
  if (!options.data.given())
    throw_bad_input(
        "--sensitivity compares outputs, so it needs data: pass --calib DATA, or --synthetic N to "
        "try things out");
  Model model = read_model(options.model);
  DataArguments data = options.data;
  data.count = recipe.calib_count;
  data.seed = recipe.seed;
  const Samples samples = open_data(data, {&model}, console);
  return naming_file(options.model, [&] {
    return measure_sensitivity(
        std::move(model), samples, recipe, onnx_runtime(),
        {.progress = console.progress(), .costs = costs ? &*costs : nullptr});
  });
}

int run(Options& options, Console& console) {
  set_for_layers(options);
  check(options.recipe);
  if (const std::string unused = option_without_use(options);
      !options.sensitivity && !unused.empty())
    throw_bad_input(unused + " says nothing without --sensitivity");
  const std::optional<Sensitivity> sensitivity = sensitivity_of(options, console);
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
    Json json = as_json(inspection, options);
    if (sensitivity) json["sensitivity"] = sensitivity_json(*sensitivity);
    console.answer_json(json);
  } else {
    std::string text = as_text(inspection, options, opset);
    if (sensitivity) text += "\n" + sensitivity_text(*sensitivity);
    console.answer(text);
  }
  return exit_done;
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->recipe.expand_ratio = 0.05;
  options->recipe.fold_batchnorm = false;
  add_file(app, "MODEL.onnx", "the model, float", options->model);
  add_text(app, "--bits", "B", "bits of the weights, 2..8 (default: 8); the same as --weight-bits",
           [&settings = options->quantization.settings](const std::string& text) {
             settings.emplace_back("weight_bits", text);
           });
  app.add_flag("--sensitivity", options->sensitivity,
               "rank layers by what each, quantized alone, does to the outputs; needs --calib");
  add_data_options(app, "--calib,--data", options->data);
  add_cost_options(app, options->costs);
  add_recipe_options(app, options->quantization,
                     "Recipe keys with --sensitivity; without it --weight-bits, --expand-ratio "
                     "(default: 0.05) and --fold-batchnorm (default: off) alone");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command inspect_command{
    .name = "inspect",
    .summary = "Show a model's layers, their clip thresholds and outlier channels",
    .examples =
        "  ocs inspect resnet50.onnx\n"
        "  ocs inspect resnet50.onnx --bits 4 --expand-ratio 0.02 --json\n"
        "  ocs inspect resnet50.onnx --sensitivity --calib images/ --weight-bits 4\n",
    .add = add,
};

}  // namespace ocs::cli
