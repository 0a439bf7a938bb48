// What a sweep measures models by: accuracy on labelled samples, or perplexity on a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/evaluate/language_model.h"
#include "ocs/graph/model.h"
#include "ocs/sweep/result.h"
#include "ocs/sweep/spec.h"

namespace ocs {

struct TextData {
  std::vector<std::int64_t> ids{};
  std::size_t vocabulary = 0;  // number of tokens
  LanguageModel roles{};       // as far as the model's files say
};

// None of the two: nothing is evaluated.
struct EvaluationData {
  std::optional<Samples> samples{};
  std::optional<TextData> text{};
};

// Fills in items and top1, top5 or perplexity, and evaluate_seconds. The figures are those of
// `ocs evaluate` with the same count, batch and window. `threads` inside a run of a text; samples run
// side by side. Throws what measure_accuracy and measure_perplexity throw.
void evaluate_model(const Model& model, const EvaluationData& data, const EvaluationCut& cut,
                    const Engine& engine, std::size_t threads, const Progress& progress,
                    PointResult& result);

// The figure that tells which of two points is better: perplexity, top-1, or without data the
// signal-to-noise.
[[nodiscard]] const Figure& leading_figure(const EvaluationData& data);

}  // namespace ocs
