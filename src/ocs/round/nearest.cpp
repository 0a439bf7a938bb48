// Rounding to nearest. A row needs nothing of the others, so blocks of rows run in parallel; inside
// a block the loops follow the layout, so that whole cache lines are read and written.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "ocs/core/parallel.h"
#include "ocs/round/levels.h"

namespace ocs {
namespace {

constexpr std::int64_t rows_of_a_block = 32;  // a cache line of the integers of a transposed weight
constexpr std::int32_t largest_stored = std::numeric_limits<std::int16_t>::max();

class Rounder {
 public:
  explicit Rounder(const RoundProblem& problem)
      : problem_(problem), levels_(problem), stored_(problem.weight.data.size(), 0) {}

  // Outputs [first, last) of a group.
  void round_rows(std::int64_t group, std::int64_t first, std::int64_t last) {
    const std::int64_t inputs = problem_.weight.inputs;
    if (problem_.weight.output_stride >= problem_.weight.input_stride) {
      for (std::int64_t output = first; output < last; ++output) {
        for (std::int64_t input = 0; input < inputs; ++input) round_taps(group, output, input);
      }
    } else {
      for (std::int64_t input = 0; input < inputs; ++input) {
        for (std::int64_t output = first; output < last; ++output) round_taps(group, output, input);
      }
    }
  }

  [[nodiscard]] std::vector<std::int16_t> take_stored() { return std::move(stored_); }

 private:
  void round_taps(std::int64_t group, std::int64_t output, std::int64_t input) {
    const ChannelMatrix& weight = problem_.weight;
    const std::int64_t place = group * weight.inputs + input;
    const float scale = levels_.scale_of(group * weight.outputs + output, place);
    const auto column = static_cast<std::size_t>(place);
    std::size_t at = weight.index(group, output, input, 0);
    for (std::int64_t tap = 0; tap < weight.taps; ++tap) {
      stored_[at] = levels_.nearest(weight.data[at], scale, column);
      at += static_cast<std::size_t>(weight.tap_stride);
    }
  }

  const RoundProblem& problem_;
  Levels levels_;
  std::vector<std::int16_t> stored_;
};

}  // namespace

Rounded round_weights(const NearestRounding&, const RoundProblem& problem) {
  check(problem);
  Rounder rounder(problem);
  const std::int64_t outputs = problem.weight.outputs;
  const std::int64_t blocks = (outputs + rows_of_a_block - 1) / rows_of_a_block;
  parallel_for(static_cast<std::size_t>(problem.weight.groups * blocks), [&](std::size_t item) {
    const auto number = static_cast<std::int64_t>(item);
    const std::int64_t first = number % blocks * rows_of_a_block;
    rounder.round_rows(number / blocks, first, std::min(first + rows_of_a_block, outputs));
  });
  return {.stored = rounder.take_stored(),
          .scales = {problem.scales.begin(), problem.scales.end()}};
}

}  // namespace ocs
