// How often two models choose the same class; needs no labels.
#pragma once

#include <cstddef>
#include <optional>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/evaluate/scores.h"

namespace ocs {

struct Agreement {
  std::size_t items = 0;
  std::size_t same = 0;                  // items for which both models score the same class highest
  [[nodiscard]] double percent() const;  // 100 without items
  bool operator==(const Agreement&) const = default;
};

// Of the outputs of one sample, for callers that have run both models already. Throws
// Error(bad_input) where the extents of the scores differ.
[[nodiscard]] Agreement agreement_of(const Scores& one, const Scores& other);

// Nothing where a model has no output of class scores (evaluate/scores.h). The same result for any
// number of threads. Throws Error(bad_input) naming the sample where the scores of the two have
// different extents.
[[nodiscard]] std::optional<Agreement> measure_agreement(const RunModel& one, const RunModel& other,
                                                         const Samples& samples,
                                                         const Progress& progress = {});

}  // namespace ocs
