// The integers that a weight may take, column by column. Used inside round/ only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "ocs/quant/scale_index.h"
#include "ocs/round/round.h"

namespace ocs {

// Part of the mean of H_ii that is added to each (Frantar et al.): columns that saw no data keep
// their own rounding, and what little data say is not believed too much.
constexpr float damping = 0.01F;

class Levels {
 public:
  // `problem` must outlive the object.
  explicit Levels(const RoundProblem& problem);

  // The integer of the unsplit weight `real` at `scale` in a column: the nearest level inside the
  // range of its copies (docs/splitting.md), or the sum of parts that are rounded one by one.
  [[nodiscard]] std::int16_t nearest(float real, float scale, std::size_t column) const {
    const float limit = limits_[column];
    return limit == in_parts ? sum_of_parts(real, scale, column) : level(real, scale, limit);
  }

  // The largest magnitude of an integer in a column, < 0 where its parts are rounded one by one.
  [[nodiscard]] float limit(std::size_t column) const { return limits_[column]; }

  // nearest() of weights of one column that lie side by side, each with a scale of its own; all three of one size.
  void nearest(std::span<const float> real, std::span<const float> scales, std::size_t column,
               std::span<std::int16_t> to) const {
    const float limit = limits_[column];
    if (limit == in_parts) {
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = sum_of_parts(real[i], scales[i], column);
    } else {
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = level(real[i], scales[i], limit);
    }
  }

  [[nodiscard]] bool scale_begins_at(std::int64_t column) const {
    return scale_index_.begins_at(column);
  }

  // `row` and `column` as for_each_weight counts them.
  [[nodiscard]] float scale_of(std::int64_t row, std::int64_t column) const {
    return problem_.scales[scale_index_(row, column)];
  }

 private:
  static constexpr std::int32_t largest_stored = std::numeric_limits<std::int16_t>::max();
  static constexpr float in_parts = -1.0F;  // instead of a limit: rounded or clamped one by one

  // Level of a weight as quantize() gives it, for limits below 2^22. Clamped before it is rounded,
  // which is the same for a whole limit; then adding 1.5 * 2^23 leaves no bits for a fraction, and
  // the addition rounds ties to even. Several times as fast as std::nearbyint.
  static std::int16_t level(float real, float scale, float limit) {
    constexpr float shift = 12582912.0F;
    const float inside = std::min(std::max(real / scale, -limit), limit);
    return static_cast<std::int16_t>((inside + shift) - shift);
  }

  [[nodiscard]] int copies_of(std::size_t column) const {
    return problem_.copies.empty() ? 1 : problem_.copies[column];
  }
  [[nodiscard]] std::int16_t sum_of_parts(float real, float scale, std::size_t column) const;

  const RoundProblem& problem_;
  ScaleIndex scale_index_;
  std::vector<float> limits_{};  // of each column
};

// What is held beside the matrix for its exact channels (RoundProblem::exact). Rows may be asked for in parallel.
class Beside {
 public:
  // `problem` must outlive the object.
  explicit Beside(const RoundProblem& problem)
      : problem_(problem), count_(static_cast<std::int64_t>(problem.exact.size())) {
    const auto size = static_cast<std::size_t>(problem.weight.rows() * count_);
    problem.exact_scales.empty() ? left_.resize(size) : residual_.resize(size);
  }

  // Remembers what the integer of a channel leaves (`exact`: its place among the exact ones), and gives what of that will be there.
  float hold(std::int64_t row, std::int64_t exact, float left) {
    const auto at = static_cast<std::size_t>(row * count_ + exact);
    if (problem_.exact_scales.empty()) return left_[at] = left;
    const std::int64_t block = problem_.block > 0 ? problem_.block : count_;
    const std::int64_t blocks = ScaleIndex::count_of(count_, problem_.block);
    const float scale =
        problem_.exact_scales[static_cast<std::size_t>(row * blocks + exact / block)];
    const auto highest = static_cast<float>(problem_.highest);
    const float level = std::nearbyint(std::clamp(left / scale, -highest, highest));
    residual_[at] = static_cast<std::int16_t>(level);
    return level * scale;
  }

  void move_into(Rounded& rounded) {
    rounded.left = std::move(left_);
    rounded.residual = std::move(residual_);
  }

 private:
  const RoundProblem& problem_;
  std::int64_t count_;
  std::vector<float> left_{};
  std::vector<std::int16_t> residual_{};
};

}  // namespace ocs
