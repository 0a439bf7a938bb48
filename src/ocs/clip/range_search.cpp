// A range is a zero point and a step. Each zero point is a search for the step; on average the
// error is convex in the two ends of the range (clipping either side costs ever more, and rounding
// costs D^2/12 a value), so the zero points are searched around the best one by ever finer strides.
#include "ocs/clip/range_search.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "ocs/clip/step_search.h"

namespace ocs {
namespace {

// A level beyond the values can lie beyond float.
float finite(double end) {
  return static_cast<float>(std::min<double>(end, std::numeric_limits<float>::max()));
}

class ZeroPointSearch {
 public:
  ZeroPointSearch(const ClipInput& input, const CountedValues& values)
      : input_(input), values_(values), levels_((1 << input.grid.bits) - 1) {}

  void run() {
    std::int32_t stride = levels_ / 16 + 1;
    for (std::int32_t zero_point = 0; zero_point < levels_; zero_point += stride) look(zero_point);
    look(levels_);
    const double span = static_cast<double>(input_.max) - static_cast<double>(input_.min);
    look(static_cast<std::int32_t>(-static_cast<double>(input_.min) / span * levels_ + 0.5));
    for (stride /= 2; stride > 0; stride /= 2) {
      const std::int32_t centre = best();
      look(std::max(centre - stride, 0));
      look(std::min(centre + stride, levels_));
    }
  }

  // The best range of the zero points that came out best with coarse steps.
  [[nodiscard]] ClipRange finest(std::size_t candidates) const {
    std::vector<std::pair<double, std::int32_t>> by_error;
    for (const auto& [zero_point, error] : errors_) by_error.emplace_back(error, zero_point);
    std::ranges::sort(by_error);
    by_error.resize(std::min(candidates, by_error.size()));
    ClipRange range;
    double least = 0.0;
    for (const auto& [coarse_error, zero_point] : by_error) {
      const StepChoice choice = best_step(problem_at(zero_point));
      if (range != ClipRange{} && choice.error >= least) continue;
      least = choice.error;
      range = {.low = -finite(zero_point * choice.step),
               .high = finite((levels_ - zero_point) * choice.step)};
    }
    return range;
  }

 private:
  [[nodiscard]] StepProblem problem_at(std::int32_t zero_point) const {
    return step_problem(values_, input_.min, input_.max,
                        {.lowest = -zero_point, .highest = levels_ - zero_point});
  }

  void look(std::int32_t zero_point) {
    if (!errors_.contains(zero_point)) {
      errors_[zero_point] = coarse_step(problem_at(zero_point)).error;
    }
  }

  [[nodiscard]] std::int32_t best() const {
    return std::ranges::min_element(errors_, {}, [](const auto& e) { return e.second; })->first;
  }

  const ClipInput& input_;
  const CountedValues& values_;
  std::int32_t levels_;
  std::map<std::int32_t, double> errors_{};  // by zero point, with coarse steps
};

}  // namespace

ClipRange least_error_range(const ClipInput& input) {
  const double widest = std::max(static_cast<double>(input.max), -static_cast<double>(input.min));
  if (widest < least_widest_step * 65535.0) return {.low = input.min, .high = input.max};
  const CountedValues values = counted_values(input, 8192);
  ZeroPointSearch search(input, values);
  search.run();
  return search.finest(3);
}

}  // namespace ocs
