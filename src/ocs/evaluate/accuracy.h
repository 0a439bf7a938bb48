// Share of the items whose label is the class with the highest score, or among the five highest.
#pragma once

#include <cstddef>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"

namespace ocs {

struct Accuracy {
  std::size_t items = 0;
  std::size_t top1 = 0;                       // items whose label ranks first
  std::size_t top5 = 0;                       // among the first five
  [[nodiscard]] double top1_percent() const;  // 0 without items
  [[nodiscard]] double top5_percent() const;
  bool operator==(const Accuracy&) const = default;
};

// Of the classes with equal scores the one with the smaller index ranks first. The same result for
// any number of threads. Throws Error(bad_input) where the samples have no labels, the model has no
// output of class scores (evaluate/scores.h), the number of labels is not that of the items, or a
// label is no class (naming the sample).
[[nodiscard]] Accuracy measure_accuracy(const RunModel& model, const Samples& samples,
                                        const Progress& progress = {});

}  // namespace ocs
