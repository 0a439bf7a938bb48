// ocs compare: how far a quantized model is from its float model, at the outputs and layer by layer.
#include "ocs/report/compare.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_options.h"
#include "cli/options.h"
#include "cli/text_table.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "ocs/ops/op.h"
#include "ocs/passes/passes.h"
#include "ocs/report/figures.h"

namespace ocs::cli {
namespace {

constexpr std::size_t layers_shown = 20;

struct Options {
  std::string reference{};
  std::string quantized{};
  DataArguments data{};
  std::optional<double> min_sqnr{};
  std::optional<double> min_cosine{};
  std::optional<double> min_agreement{};
};

std::vector<std::string> layer_names(const Model& model) {
  std::vector<std::string> names;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (find_linear_op(node) != nullptr) names.push_back(node.name());
  }
  return names;
}

// Worst first; what could not be compared comes last, names decide between equals.
void sort_worst_first(std::vector<LayerQuality>& layers) {
  std::ranges::stable_sort(layers, [](const LayerQuality& a, const LayerQuality& b) {
    if (std::isnan(a.sqnr_db) || std::isnan(b.sqnr_db))
      return !std::isnan(a.sqnr_db) && std::isnan(b.sqnr_db);
    return a.sqnr_db < b.sqnr_db;
  });
}

double first_sqnr(const Comparison& result) {
  return result.outputs.empty() ? std::nan("") : result.outputs.front().sqnr_db;
}

Json as_json(const Comparison& result) {
  Json json = {{"samples", result.samples},
               {"agreement", number(result.agreement)},
               {"sqnr_db", number(first_sqnr(result))}};
  json["outputs"] = Json::array();
  for (const OutputQuality& output : result.outputs)
    json["outputs"].push_back({{"name", output.name},
                               {"sqnr_db", number(output.sqnr_db)},
                               {"cosine_mean", number(output.mean_cosine)},
                               {"cosine_min", number(output.min_cosine)}});
  json["layers"] = Json::array();
  for (const LayerQuality& layer : result.layers)
    json["layers"].push_back({{"name", layer.node}, {"sqnr_db", number(layer.sqnr_db)}});
  return json;
}

std::string cosine_text(const OutputQuality& output) {
  if (std::isnan(output.mean_cosine)) return "";
  return fmt::format(", cosine {:.4f} (least {:.4f})", output.mean_cosine, output.min_cosine);
}

std::string as_text(const Comparison& result, bool all_layers) {
  std::string text = fmt::format("compared on {} samples\n", result.samples);
  for (const OutputQuality& output : result.outputs)
    text +=
        fmt::format("output {}: {}{}\n", output.name, db_text(output.sqnr_db), cosine_text(output));
  if (!std::isnan(result.agreement))
    text += fmt::format("top-1 agreement: {:.2f}%\n", result.agreement);
  if (result.layers.empty()) return text;
  const std::size_t shown =
      all_layers ? result.layers.size() : std::min(result.layers.size(), layers_shown);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < shown; ++i)
    rows.push_back({result.layers[i].node, db_text(result.layers[i].sqnr_db)});
  text += "\n" + text_table({{"layer, worst first"}, {"signal-to-noise", true}}, rows, 80);
  if (shown < result.layers.size())
    text += fmt::format("and {} better ones; --verbose shows all\n", result.layers.size() - shown);
  return text;
}

// Whether the figure is at least what was asked for; what was not measured is not.
bool meets(std::optional<double> least, double figure, std::string_view what, Console& console,
           int digits = 2) {
  if (!least || figure >= *least) return true;
  console.warn(std::isnan(figure)
                   ? fmt::format("{} could not be measured", what)
                   : fmt::format("{} is {:.{}f}, less than {}", what, figure, digits, *least));
  return false;
}

// All outputs, since the one that is an embedding need not be the first.
bool meets_cosine(const Comparison& result, double least, Console& console) {
  bool met = true;
  for (const OutputQuality& output : result.outputs)
    met = meets(least, output.mean_cosine, fmt::format("the cosine of output '{}'", output.name),
                console, 4) &&
          met;
  return met;
}

int run(const Options& options, Console& console) {
  Model reference = name_nodes(read_model(options.reference)).model;
  const Model quantized = read_model(options.quantized);
  const Samples samples = open_data(options.data, {&reference, &quantized}, console);
  Comparison result = compare(reference, quantized, samples, onnx_runtime(),
                              {.nodes = layer_names(reference), .progress = console.progress()});
  sort_worst_first(result.layers);
  if (console.options().json) {
    console.answer_json(as_json(result));
  } else {
    console.answer(as_text(result, console.options().verbose));
  }
  const bool sqnr_met =
      meets(options.min_sqnr, first_sqnr(result), "the signal-to-noise in dB", console);
  const bool cosine_met =
      options.min_cosine ? meets_cosine(result, *options.min_cosine, console) : true;
  const bool agreement_met =
      meets(options.min_agreement, result.agreement, "the agreement in percent", console);
  return sqnr_met && cosine_met && agreement_met ? exit_done : exit_check_failed;
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_file(app, "FLOAT.onnx", "the float model", options->reference);
  add_file(app, "QUANT.onnx", "its quantized form", options->quantized);
  add_number(app, "--min-sqnr", "DB",
             "exit code 1 where the first output's signal-to-noise is less", options->min_sqnr);
  add_number(app, "--min-cosine", "C", "exit code 1 where the mean cosine of an output is less",
             options->min_cosine);
  add_number(app, "--min-agreement", "P",
             "exit code 1 where less than P percent have the same top-1", options->min_agreement);
  add_data_options(app, "--data", options->data);
  add_count_option(app, options->data);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command compare_command{
    .name = "compare",
    .summary = "Measure how far a quantized model is from its float model, layer by layer",
    .examples =
        "  ocs compare net.onnx net.int8.onnx --data images/\n"
        "  ocs compare net.onnx net.int8.onnx --data images/ --min-sqnr 25 --min-agreement 98 "
        "--json\n",
    .add = add,
};

}  // namespace ocs::cli
