#include "ocs/evaluate/accuracy.h"

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/evaluate/scores.h"

namespace ocs {
namespace {

double percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

Accuracy accuracy_of(const Scores& scores, const std::vector<int>& labels) {
  if (scores.items != labels.size()) {
    throw_bad_input(fmt::format("{} labels, and {} items in the output '{}'", labels.size(),
                                scores.items, scores.output));
  }
  Accuracy accuracy{.items = scores.items};
  for (std::size_t item = 0; item < scores.items; ++item) {
    const auto label = static_cast<std::size_t>(labels[item]);
    if (labels[item] < 0 || label >= scores.classes) {
      throw_bad_input(fmt::format("label {}; the output '{}' has the classes 0 to {}", labels[item],
                                  scores.output, scores.classes - 1));
    }
    const std::size_t rank = rank_of(scores.of(item), label);
    accuracy.top1 += rank < 1 ? 1U : 0U;
    accuracy.top5 += rank < 5 ? 1U : 0U;
  }
  return accuracy;
}

}  // namespace

double Accuracy::top1_percent() const { return percent(top1, items); }
double Accuracy::top5_percent() const { return percent(top5, items); }

Accuracy measure_accuracy(const RunModel& model, const Samples& samples, const Progress& progress) {
  if (!samples.has_labels) throw_bad_input(samples.source + ": the samples have no labels");
  std::vector<Accuracy> parts(samples.count);
  for_each_sample(samples, "accuracy", progress, [&](std::size_t i, const Sample& sample) {
    const std::optional<Scores> scores = scores_of(model, sample);
    if (!scores) throw_bad_input("the model has no output with a score for each class");
    parts[i] = accuracy_of(*scores, sample.labels);
  });
  Accuracy sum;
  for (const Accuracy& part : parts) {
    sum.items += part.items;
    sum.top1 += part.top1;
    sum.top5 += part.top5;
  }
  return sum;
}

}  // namespace ocs
