// Rounding to nearest. A row needs nothing of the others, so blocks of rows run in parallel; inside
// a block the loops follow the layout, so that whole cache lines are read and written.
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "ocs/quant/row_blocks.h"
#include "ocs/round/levels.h"

namespace ocs {
namespace {

class Rounder {
 public:
  explicit Rounder(const RoundProblem& problem)
      : problem_(problem), levels_(problem), stored_(problem.weight.data.size(), 0) {}

  void round_rows(const RowBlock& block) {
    if (is_turned(problem_.weight)) return round_side_by_side(block);
    for_each_pair(problem_.weight, block, [&](std::int64_t output, std::int64_t input) {
      round_taps(block.group, output, input);
    });
  }

  [[nodiscard]] std::vector<std::int16_t> take_stored() { return std::move(stored_); }

  // What the integers leave of the exact channels.
  void hold_beside(Rounded& rounded) const {
    Beside beside(problem_);
    for (std::int64_t row = 0; row < problem_.weight.rows(); ++row)
      for (std::size_t i = 0; i < problem_.exact.size(); ++i) {
        const std::int64_t column = problem_.exact[i];
        const std::size_t at = problem_.weight.index(0, row, column, 0);
        const float held = static_cast<float>(rounded.stored[at]) * levels_.scale_of(row, column);
        (void)beside.hold(row, static_cast<std::int64_t>(i), problem_.weight.data[at] - held);
      }
    beside.move_into(rounded);
  }

 private:
  void round_side_by_side(const RowBlock& block) {
    const ChannelMatrix& weight = problem_.weight;
    std::array<float, largest_row_block> scales{};
    for (std::int64_t input = 0; input < weight.inputs; ++input) {
      const std::int64_t column = block.group * weight.inputs + input;
      if (levels_.scale_begins_at(column))
        for (std::int64_t i = 0; i < block.rows(); ++i)
          scales[static_cast<std::size_t>(i)] =
              levels_.scale_of(block.group * weight.outputs + block.first + i, column);
      const std::size_t at = weight.index(block.group, block.first, input, 0);
      const auto count = static_cast<std::size_t>(block.rows());
      levels_.nearest(weight.data.subspan(at, count), std::span(scales).first(count),
                      static_cast<std::size_t>(column), std::span(stored_).subspan(at, count));
    }
  }

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
  for_each_row_block(problem.weight, [&](const RowBlock& block) { rounder.round_rows(block); });
  Rounded rounded{.stored = rounder.take_stored(),
                  .scales = {problem.scales.begin(), problem.scales.end()}};
  if (!problem.exact.empty()) rounder.hold_beside(rounded);
  return rounded;
}

}  // namespace ocs
