#include "ocs/sweep/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "ocs/core/error.h"
#include "ocs/evaluate/accuracy.h"
#include "ocs/evaluate/batches.h"
#include "ocs/evaluate/perplexity.h"

namespace ocs {
namespace {

void measure_text(const Model& model, const TextData& text, const EvaluationCut& cut,
                  const Engine& engine, std::size_t threads, const Progress& progress,
                  PointResult& result) {
  const RunModel run =
      engine(model, {.intra_op_threads = static_cast<int>(threads), .borrow_weights = true});
  const LanguageModel roles = match_ports(text.roles, run.inputs, run.outputs);
  std::span<const std::int64_t> ids(text.ids);
  if (cut.count > 0) ids = ids.first(std::min(cut.count, ids.size()));
  TextCut text_cut;
  if (cut.batch > 0) text_cut.batch = cut.batch;
  if (cut.window > 0) text_cut.window = cut.window;
  const Perplexity measured =
      measure_perplexity(run, roles, ids, text.vocabulary, text_cut, progress);
  result.items = static_cast<double>(measured.tokens);
  if (std::isfinite(measured.value())) result.perplexity = measured.value();
}

void measure_samples(const Model& model, Samples samples, const EvaluationCut& cut,
                     const Engine& engine, const Progress& progress, PointResult& result) {
  if (cut.count > 0) samples.count = std::min(cut.count, samples.count);
  const RunModel run = engine(model, {.borrow_weights = true});
  const Accuracy accuracy = measure_accuracy(
      run, in_batches(std::move(samples), std::max<std::size_t>(cut.batch, 1)), progress);
  result.items = static_cast<double>(accuracy.items);
  result.top1 = accuracy.top1_percent();
  result.top5 = accuracy.top5_percent();
}

}  // namespace

void evaluate_model(const Model& model, const EvaluationData& data, const EvaluationCut& cut,
                    const Engine& engine, std::size_t threads, const Progress& progress,
                    PointResult& result) {
  const auto start = std::chrono::steady_clock::now();
  if (data.text) {
    measure_text(model, *data.text, cut, engine, threads, progress, result);
  } else if (data.samples) {
    measure_samples(model, *data.samples, cut, engine, progress, result);
  } else {
    return;
  }
  result.evaluate_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

const Figure& leading_figure(const EvaluationData& data) {
  return *find_figure(data.text ? "perplexity" : data.samples ? "top1" : "sqnr_db");
}

}  // namespace ocs
