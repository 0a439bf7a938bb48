// The class scores among the outputs of a classifier, or of any model that ends in one score for
// each class or word.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"

namespace ocs {

struct Scores {
  std::string output{};
  std::size_t items = 0;
  std::size_t classes = 0;
  std::vector<float> values{};  // [items, classes]

  [[nodiscard]] std::span<const float> of(std::size_t item) const {
    return std::span(values).subspan(item * classes, classes);
  }
};

// Those of the first output of type float or double with more than one class. The classes are the
// only axis behind the first that is not 1 ([N,1000,1,1]), or else the last axis ([N,T,33278]: N*T
// items); of an output with one axis, that. Nothing where no output is like that. Throws
// Error(bad_input) naming the output where a score is NaN.
[[nodiscard]] std::optional<Scores> find_scores(std::span<const OutputView> outputs);

// Index of the largest; the first of several.
[[nodiscard]] std::size_t best_class(std::span<const float> scores);

// How many classes rank in front of `index`: those with a larger score, and those with an equal
// score and a smaller index.
[[nodiscard]] std::size_t rank_of(std::span<const float> scores, std::size_t index);

// Calls work(i, sample) for every sample, on several threads at once, each with the name of its
// sample in front of its errors, and reports progress as `step`.
void for_each_sample(const Samples& samples, const std::string& step, const Progress& progress,
                     const std::function<void(std::size_t, const Sample&)>& work);

// Runs the sample and gives the scores. Throws what running throws.
[[nodiscard]] std::optional<Scores> scores_of(const RunModel& model, const Sample& sample);

}  // namespace ocs
