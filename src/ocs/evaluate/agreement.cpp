#include "ocs/evaluate/agreement.h"

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {

double Agreement::percent() const {
  return items == 0 ? 100.0 : 100.0 * static_cast<double>(same) / static_cast<double>(items);
}

Agreement agreement_of(const Scores& one, const Scores& other) {
  if (one.items != other.items || one.classes != other.classes) {
    throw_bad_input(fmt::format(
        "one model gives scores of {} items for {} classes ('{}'), the other of {} for {} ('{}')",
        one.items, one.classes, one.output, other.items, other.classes, other.output));
  }
  Agreement agreement{.items = one.items};
  for (std::size_t item = 0; item < one.items; ++item) {
    agreement.same += best_class(one.of(item)) == best_class(other.of(item)) ? 1U : 0U;
  }
  return agreement;
}

std::optional<Agreement> measure_agreement(const RunModel& one, const RunModel& other,
                                           const Samples& samples, const Progress& progress) {
  std::vector<std::optional<Agreement>> parts(samples.count);
  for_each_sample(samples, "agreement", progress, [&](std::size_t i, const Sample& sample) {
    const std::optional<Scores> first = scores_of(one, sample);
    const std::optional<Scores> second = first ? scores_of(other, sample) : std::nullopt;
    if (first && second) parts[i] = agreement_of(*first, *second);
  });
  Agreement sum;
  for (const std::optional<Agreement>& part : parts) {
    if (!part) return std::nullopt;
    sum.items += part->items;
    sum.same += part->same;
  }
  return sum;
}

}  // namespace ocs
