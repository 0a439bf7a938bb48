// ocs evaluate: the accuracy of a model, float or quantized, on labelled data, or its perplexity on a text.
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_options.h"
#include "cli/language_roles.h"
#include "cli/options.h"
#include "ocs/core/parallel.h"
#include "ocs/data/text.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/evaluate/accuracy.h"
#include "ocs/evaluate/batches.h"
#include "ocs/evaluate/perplexity.h"
#include "ocs/io/model_file.h"

namespace ocs::cli {
namespace {

struct Options {
  std::string model{};
  std::string metric = "top1";
  DataArguments data{};
  std::string vocabulary{};
  TextCut cut{};
  std::optional<std::size_t> batch{};  // of a run: streams of a text, or samples
};

void check_text_options(const Options& options) {
  if (options.data.path.empty()) throw_bad_input("no text: pass --data FILE.txt");
  if (options.vocabulary.empty()) {
    throw_bad_input(
        "--metric perplexity needs the model's vocabulary: pass --vocab FILE, one token a line");
  }
  if (!options.data.labels.empty() || !options.data.preprocess.empty() ||
      options.data.synthetic > 0) {
    throw_bad_input(
        "--labels, --preprocess and --synthetic have no meaning for --metric perplexity");
  }
  if (options.batch == 0U || options.cut.window == 0)
    throw_bad_input("--batch and --window must be at least 1");
}

int run_perplexity(const Options& options, Console& console) {
  check_text_options(options);
  const Model model = read_model(options.model);
  const Vocabulary vocabulary = read_vocabulary(options.vocabulary);
  const TokenText text = read_text(options.data.path, vocabulary, options.data.count);
  if (text.unknown > 0) {
    console.warn(fmt::format("{}: {} of {} tokens are not in the vocabulary and read as <unk>",
                             options.data.path, text.unknown, text.ids.size()));
  }
  // A window needs the states of the one before: the threads work inside a run.
  const RunModel run_model = onnx_runtime()(
      model, {.intra_op_threads = static_cast<int>(thread_count()), .borrow_weights = true});
  const Perplexity perplexity = while_doing(options.model, [&] {
    TextCut cut = options.cut;
    cut.batch = options.batch.value_or(cut.batch);
    const LanguageModel roles = match_ports(language_roles_of(model).value_or(LanguageModel{}),
                                            run_model.inputs, run_model.outputs);
    return measure_perplexity(run_model, roles, text.ids, vocabulary.ids.size(), cut,
                              console.progress());
  });
  if (console.options().json) {
    console.answer_json({{"tokens", perplexity.tokens},
                         {"perplexity", number(perplexity.value())},
                         {"unknown", text.unknown}});
  } else {
    console.answer(
        fmt::format("{} tokens\nperplexity {:.3f}\n", perplexity.tokens, perplexity.value()));
  }
  return exit_done;
}

int run_accuracy(const Options& options, Console& console) {
  if (!options.vocabulary.empty()) throw_bad_input("--vocab goes with --metric perplexity");
  const std::size_t batch = options.batch.value_or(1);
  if (batch == 0) throw_bad_input("--batch must be at least 1");
  const Model model = read_model(options.model);
  const Samples samples = in_batches(open_data(options.data, {&model}, console), batch);
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

int run(const Options& options, Console& console) {
  if (options.metric == "perplexity") return run_perplexity(options, console);
  if (options.metric == "top1" || options.metric == "top5") return run_accuracy(options, console);
  throw_bad_input(
      fmt::format("--metric: '{}' is none of top1, top5 and perplexity", options.metric));
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_file(app, "MODEL.onnx", "the model, float or quantized", options->model);
  add_text(app, "--metric", "M",
           "top1 or top5, the one that is shown first (default: top1; --json gives both), or "
           "perplexity of a language model",
           options->metric);
  add_data_options(app, "--data", options->data);
  add_labels_option(app, options->data);
  add_count_option(app, options->data);
  add_number(app, "--batch", "N",
             "samples in a run (default: 1), for models that look at a whole batch; with "
             "--metric perplexity streams that the text is cut into (default: 10)",
             options->batch);
  const std::string group = "Perplexity";
  add_text(app, "--vocab", "FILE",
           "the tokens that the model knows, one a line in the order of their ids",
           options->vocabulary)
      ->group(group);
  add_number(app, "--window", "N",
             "tokens of each stream in a run; states are carried (default: 35)",
             options->cut.window)
      ->group(group);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command evaluate_command{
    .name = "evaluate",
    .summary = "Measure the accuracy of a model on labelled data, or its perplexity on a text",
    .examples =
        "  ocs evaluate net.int8.onnx --data val/ --labels val_labels.txt\n"
        "  ocs evaluate resnet20.onnx --data cifar10/test.bin --preprocess cifar10 --json\n"
        "  ocs evaluate lstm.onnx --data test.txt --vocab vocab.txt --metric perplexity\n",
    .add = add,
};

}  // namespace ocs::cli
