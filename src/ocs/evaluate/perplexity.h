// Perplexity of a language model on a text: exp of the mean of -ln p(next token), p the softmax of its logits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/evaluate/language_model.h"

namespace ocs {

// How a text is cut: into `batch` streams of equal length that run side by side (what is left at the end is not used), each read in
// windows of `window` tokens, the last one shorter.
struct TextCut {
  std::size_t batch = 10;
  std::size_t window = 35;
};

struct Perplexity {
  std::size_t tokens = 0;  // that were predicted
  double nats = 0.0;       // sum of -ln p over them
  [[nodiscard]] double value()
      const;  // 1 without tokens; infinite where a token has no probability left
  bool operator==(const Perplexity&) const = default;
};

// States begin as zeros and go from window to window; the first token of each stream is read but not predicted. Runs are one after the
// other (a window needs the states of the one before): give the model its threads. Deterministic. Throws Error(bad_input) where the text
// has fewer than two tokens a stream, the vocabulary (ids below `vocabulary`) is not as large as the logits are wide, a state has another
// free extent than its batch, or the logits hold NaN; what running throws names the window.
[[nodiscard]] Perplexity measure_perplexity(const RunModel& model, const LanguageModel& roles,
                                            std::span<const std::int64_t> ids,
                                            std::size_t vocabulary, const TextCut& cut,
                                            const Progress& progress = {});

}  // namespace ocs
