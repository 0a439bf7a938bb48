// Rounding to nearest. A row needs nothing of the others, so blocks of rows run in parallel; inside
// a block the loops follow the layout, so that whole cache lines are read and written.
#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "ocs/core/parallel.h"
#include "ocs/round/round.h"

namespace ocs {
namespace {

constexpr std::int64_t rows_of_a_block = 32;  // a cache line of the integers of a transposed weight
constexpr std::int32_t largest_stored = std::numeric_limits<std::int16_t>::max();

// Level of a weight as quantize() gives it, for limits below 2^22. Clamped before it is rounded,
// which is the same for a whole limit; then adding 1.5 * 2^23 leaves no bits for a fraction, and
// the addition rounds ties to even. Several times as fast as std::nearbyint.
std::int16_t level(float real, float scale, float limit) {
  constexpr float shift = 12582912.0F;
  const float inside = std::clamp(real / scale, -limit, limit);
  return static_cast<std::int16_t>((inside + shift) - shift);
}

class Rounder {
 public:
  explicit Rounder(const RoundProblem& problem)
      : problem_(problem), stored_(problem.weight.data.size(), 0) {
    const auto columns = static_cast<std::size_t>(problem.weight.columns());
    const bool cut_from_whole =
        problem.kind == SplitKind::quantization_aware && problem.parts == SplitParts::equal;
    for (std::size_t column = 0; column < columns; ++column) {
      const std::int64_t copies = copies_of(column);
      const std::int64_t limit = std::min<std::int64_t>(copies * problem.highest, largest_stored);
      limits_.push_back(copies == 1 || cut_from_whole ? static_cast<float>(limit) : in_parts);
    }
  }

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
  static constexpr float in_parts = -1.0F;  // instead of a limit: rounded or clamped one by one

  [[nodiscard]] int copies_of(std::size_t column) const {
    return problem_.copies.empty() ? 1 : problem_.copies[column];
  }

  void round_taps(std::int64_t group, std::int64_t output, std::int64_t input) {
    const ChannelMatrix& weight = problem_.weight;
    const auto row = static_cast<std::size_t>(group * weight.outputs + output);
    const auto column = static_cast<std::size_t>(group * weight.inputs + input);
    const float scale = problem_.scales[problem_.scales.size() == 1 ? 0 : row];
    const float limit = limits_[column];
    std::size_t at = weight.index(group, output, input, 0);
    for (std::int64_t tap = 0; tap < weight.taps; ++tap) {
      stored_[at] = limit == in_parts ? sum_of_parts(weight.data[at], scale, copies_of(column))
                                      : level(weight.data[at], scale, limit);
      at += static_cast<std::size_t>(weight.tap_stride);
    }
  }

  [[nodiscard]] std::int16_t sum_of_parts(float real, float scale, int copies) const {
    const std::int32_t sum =
        rounded_sum(real, scale, problem_.highest, copies, problem_.kind, problem_.parts);
    return static_cast<std::int16_t>(std::clamp(sum, -largest_stored, largest_stored));
  }

  const RoundProblem& problem_;
  std::vector<float> limits_{};  // of each column
  std::vector<std::int16_t> stored_;
};

}  // namespace

std::vector<std::int16_t> round_weights(const NearestRounding&, const RoundProblem& problem) {
  check(problem);
  Rounder rounder(problem);
  const std::int64_t outputs = problem.weight.outputs;
  const std::int64_t blocks = (outputs + rows_of_a_block - 1) / rows_of_a_block;
  parallel_for(static_cast<std::size_t>(problem.weight.groups * blocks), [&](std::size_t item) {
    const auto number = static_cast<std::int64_t>(item);
    const std::int64_t first = number % blocks * rows_of_a_block;
    rounder.round_rows(number / blocks, first, std::min(first + rows_of_a_block, outputs));
  });
  return rounder.take_stored();
}

}  // namespace ocs
