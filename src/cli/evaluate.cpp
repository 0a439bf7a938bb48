// ocs evaluate: the accuracy of a model, float or quantized, on labelled data.
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_options.h"
#include "cli/options.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/evaluate/accuracy.h"
#include "ocs/io/model_file.h"

namespace ocs::cli {
namespace {

struct Options {
  std::string model{};
  std::string metric = "top1";
  DataArguments data{};
};

int run(const Options& options, Console& console) {
  if (options.metric != "top1" && options.metric != "top5") {
    throw_bad_input(fmt::format("--metric: '{}' is neither top1 nor top5", options.metric));
  }
  const Model model = read_model(options.model);
  const Samples samples = open_data(options.data, {&model}, console);
  // One thread a run: the samples run side by side.
  const RunModel run_model = onnx_runtime()(model, {.borrow_weights = true});
  const Accuracy accuracy = measure_accuracy(run_model, samples, console.progress());
  if (console.options().json) {
    console.answer_json({{"samples", accuracy.items},
                         {"top1", accuracy.top1_percent()},
                         {"top5", accuracy.top5_percent()}});
    return exit_done;
  }
  const bool top1_first = options.metric == "top1";
  const std::string top1 =
      fmt::format("top-1 {:.2f}% ({} right)\n", accuracy.top1_percent(), accuracy.top1);
  const std::string top5 =
      fmt::format("top-5 {:.2f}% ({} right)\n", accuracy.top5_percent(), accuracy.top5);
  console.answer(fmt::format("{} samples\n{}{}", accuracy.items, top1_first ? top1 : top5,
                             top1_first ? top5 : top1));
  return exit_done;
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_file(app, "MODEL.onnx", "the model, float or quantized", options->model);
  add_text(app, "--metric", "M",
           "what is shown first: top1 or top5 (default: top1); --json gives both", options->metric);
  add_data_options(app, "--data", options->data);
  add_labels_option(app, options->data);
  add_count_option(app, options->data);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command evaluate_command{
    .name = "evaluate",
    .summary = "Measure the accuracy of a model on labelled data",
    .examples =
        "  ocs evaluate net.int8.onnx --data val/ --labels val_labels.txt\n"
        "  ocs evaluate resnet20.onnx --data cifar10/test.bin --preprocess cifar10 --json\n",
    .add = add,
};

}  // namespace ocs::cli
