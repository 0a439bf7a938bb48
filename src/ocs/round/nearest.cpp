// Rounding to nearest. A row needs nothing of the others, so blocks of rows run in parallel; inside
// a block the input channels come first, so that a transposed weight is read in whole cache lines.
#include <algorithm>
#include <cstddef>
#include <limits>

#include "ocs/core/parallel.h"
#include "ocs/round/round.h"

namespace ocs {
namespace {

constexpr std::int64_t rows_of_a_block = 16;  // a cache line of a transposed weight
constexpr std::int32_t largest_stored = std::numeric_limits<std::int16_t>::max();

struct Block {
  std::int64_t group = 0;
  std::int64_t first = 0;  // outputs [first, last) of the group
  std::int64_t last = 0;
};

// Level of a weight as quantize() gives it, for limits below 2^22. Clamped before it is rounded,
// which is the same for a whole limit; then adding 1.5 * 2^23 leaves no bits for a fraction, and
// the addition rounds ties to even. Several times as fast as std::nearbyint.
std::int16_t level(float real, float scale, float limit) {
  constexpr float shift = 12582912.0F;
  const float inside = std::clamp(real / scale, -limit, limit);
  return static_cast<std::int16_t>((inside + shift) - shift);
}

void round_block(const RoundProblem& problem, const Block& block, std::vector<std::int16_t>& to) {
  const ChannelMatrix& weight = problem.weight;
  const bool cut_from_whole =
      problem.kind == SplitKind::quantization_aware && problem.parts == SplitParts::equal;
  for (std::int64_t input = 0; input < weight.inputs; ++input) {
    const auto column = static_cast<std::size_t>(block.group * weight.inputs + input);
    const int copies = problem.copies.empty() ? 1 : problem.copies[column];
    const auto limit = static_cast<float>(
        std::min<std::int64_t>(std::int64_t{copies} * problem.highest, largest_stored));
    for (std::int64_t output = block.first; output < block.last; ++output) {
      const auto row = static_cast<std::size_t>(block.group * weight.outputs + output);
      const float scale = problem.scales[problem.scales.size() == 1 ? 0 : row];
      for (std::int64_t tap = 0; tap < weight.taps; ++tap) {
        const std::size_t at = weight.index(block.group, output, input, tap);
        if (copies == 1 || cut_from_whole) {
          to[at] = level(weight.data[at], scale, limit);
        } else {  // parts that are rounded or clamped one by one
          const std::int32_t sum = rounded_sum(weight.data[at], scale, problem.highest, copies,
                                               problem.kind, problem.parts);
          to[at] = static_cast<std::int16_t>(std::clamp(sum, -largest_stored, largest_stored));
        }
      }
    }
  }
}

}  // namespace

std::vector<std::int16_t> round_weights(const NearestRounding&, const RoundProblem& problem) {
  check(problem);
  std::vector<std::int16_t> stored(problem.weight.data.size(), 0);
  if (problem.weight.size() == 0) return stored;
  const std::int64_t outputs = problem.weight.outputs;
  const std::int64_t blocks = (outputs + rows_of_a_block - 1) / rows_of_a_block;
  parallel_for(static_cast<std::size_t>(problem.weight.groups * blocks), [&](std::size_t item) {
    const auto number = static_cast<std::int64_t>(item);
    const std::int64_t first = number % blocks * rows_of_a_block;
    round_block(problem,
                {.group = number / blocks,
                 .first = first,
                 .last = std::min(first + rows_of_a_block, outputs)},
                stored);
  });
  return stored;
}

}  // namespace ocs
