#include "ocs/evaluate/scores.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"

namespace ocs {
namespace {

// Elements along the axis of the classes; 1 where there is none.
std::int64_t class_count(std::span<const std::int64_t> shape) {
  if (shape.empty()) return 1;
  std::int64_t only = 1;
  for (const std::int64_t extent : shape.subspan(shape.size() == 1 ? 0 : 1)) {
    if (extent == 1) continue;
    if (only != 1) return shape.back();
    only = extent;
  }
  return only;
}

bool are_floats(ElementType type) {
  return type == ElementType::float32 || type == ElementType::float64;
}

}  // namespace

std::optional<Scores> find_scores(std::span<const OutputView> outputs) {
  for (const OutputView& output : outputs) {
    const std::int64_t classes = class_count(output.tensor.shape);
    if (!are_floats(output.tensor.type) || classes <= 1 || output.tensor.size() == 0) continue;
    Scores scores{.output = std::string(output.name),
                  .items = static_cast<std::size_t>(output.tensor.size() / classes),
                  .classes = static_cast<std::size_t>(classes),
                  .values = to_floats(output.tensor)};
    if (std::ranges::any_of(scores.values, [](float score) { return std::isnan(score); })) {
      throw_bad_input("the model's output '" + scores.output + "' holds NaN");
    }
    return scores;
  }
  return std::nullopt;
}

std::size_t best_class(std::span<const float> scores) {
  return static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
}

std::size_t rank_of(std::span<const float> scores, std::size_t index) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > scores[index] || (scores[i] == scores[index] && i < index)) ++rank;
  }
  return rank;
}

void for_each_sample(const Samples& samples, const std::string& step, const Progress& progress,
                     const std::function<void(std::size_t, const Sample&)>& work) {
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(samples.count, [&](std::size_t i) {
    const Sample sample = samples.load(i);
    while_doing("sample '" + sample.name + "'", [&] { work(i, sample); });
    if (!progress) return;
    const std::scoped_lock lock(mutex);
    progress(step, ++done, samples.count);
  });
}

std::optional<Scores> scores_of(const RunModel& model, const Sample& sample) {
  std::optional<Scores> scores;
  model.run(sample.inputs,
            [&](std::span<const OutputView> outputs) { scores = find_scores(outputs); });
  return scores;
}

}  // namespace ocs
