#include "ocs/plan/avoid_saturation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "ocs/quant/affine.h"
#include "ocs/quant/pair_sums.h"

namespace ocs {
namespace {

// Between the least and the largest factor that can help; more steps change the error by less than a percent.
constexpr int factors_tried = 10;

struct RowId {
  std::int64_t group = 0;
  std::int64_t output = 0;
};

std::vector<RowId> all_rows(const ChannelMatrix& weight) {
  std::vector<RowId> rows;
  for (std::int64_t g = 0; g < weight.groups; ++g)
    for (std::int64_t o = 0; o < weight.outputs; ++o) rows.push_back({.group = g, .output = o});
  return rows;
}

void lower(std::int16_t& value, std::int32_t by) {
  value = static_cast<std::int16_t>(value > 0 ? value - by : value + by);
}

// One row at a time, side by side in the kernel's order: taps, then input channels. Searching for a scale looks at it many times.
class Row {
 public:
  explicit Row(const SaturationProblem& problem)
      : problem_(problem),
        inputs_(static_cast<std::size_t>(problem.weight.inputs)),
        places_(inputs_ * static_cast<std::size_t>(problem.weight.taps)),
        values_(places_.size()),
        levels_(places_.size()) {}

  // To be rounded.
  void select(const RowId& row) {
    place(row);
    for (std::size_t k = 0; k < places_.size(); ++k) values_[k] = problem_.weight.data[places_[k]];
  }

  // As it was rounded.
  void select(const RowId& row, std::span<const std::int16_t> stored) {
    place(row);
    for (std::size_t k = 0; k < places_.size(); ++k) levels_[k] = stored[places_[k]];
  }

  // Where its weights lie in the matrix.
  [[nodiscard]] std::span<const std::size_t> places() const { return places_; }
  [[nodiscard]] std::span<const std::int16_t> levels() const { return levels_; }

  // Lowers levels until no pair can saturate. Whether there was any that could.
  bool limit() { return copies_.empty() ? limit_neighbours() : limit_copies(); }

  // False where limit() would have nothing to do at this scale: rounding makes no weight larger by more than half a step. Weights of
  // different signs add up to less than the larger of them, which fits.
  [[nodiscard]] bool may_be_limited(float scale) const {
    if (!copies_.empty()) return true;
    constexpr double rounding = 1.0 + 1e-4;
    const double most = (limit_of_pair() - rounding) * static_cast<double>(scale);
    double largest = 0.0;
    for_each_pair(values_.size(), length(), [&](std::size_t a, std::size_t b) {
      largest = std::max(
          largest, std::abs(static_cast<double>(values_[a]) + static_cast<double>(values_[b])));
    });
    return largest > most;
  }

  struct Rounded {
    double error = 0.0;  // squared
    bool was_limited = false;
  };
  // Rounds the weights to this scale and limits them.
  [[nodiscard]] Rounded round(float scale) {
    if (copies_.empty()) {
      quantize_all(values_, scale, problem_.highest, levels_);
    } else {
      for (std::size_t k = 0; k < places_.size(); ++k) {
        const std::int32_t highest = copies_[k % inputs_] * problem_.highest;
        levels_[k] = static_cast<std::int16_t>(quantize(values_[k], scale, 0, -highest, highest));
      }
    }
    Rounded rounded;
    rounded.was_limited = limit();
    rounded.error = squared_error(scale);
    return rounded;
  }

 private:
  [[nodiscard]] double squared_error(float scale) const {
    std::array<double, 4> parts{};  // sums side by side, which do not wait for each other
    const auto add = [&](std::size_t k, double& to) {
      const double error =
          static_cast<double>(values_[k]) - static_cast<double>(scale) * levels_[k];
      to += error * error;
    };
    std::size_t k = 0;
    for (; k + parts.size() <= values_.size(); k += parts.size())
      for (std::size_t part = 0; part < parts.size(); ++part) add(k + part, parts[part]);
    for (; k < values_.size(); ++k) add(k, parts[0]);
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
  }

  void place(const RowId& row) {
    kernel_order(problem_.weight, row.group, row.output, places_);
    if (problem_.copies.empty()) return;
    copies_ = problem_.copies.subspan(static_cast<std::size_t>(row.group) * inputs_, inputs_);
  }

  // Weights that are one sum.
  [[nodiscard]] std::size_t length() const {
    return problem_.across_taps ? levels_.size() : inputs_;
  }

  [[nodiscard]] std::int32_t limit_of_pair() const { return pair_limit(problem_.highest_level); }

  // Each of two takes half of what is too much, as far as it has that much.
  bool limit_neighbours() {
    const std::int32_t limit = limit_of_pair();
    std::int32_t largest = 0;  // of different signs: not above the limit
    for_each_pair(levels_.size(), length(), [&](std::size_t a, std::size_t b) {
      largest = std::max(largest, std::abs(levels_[a] + levels_[b]));
    });
    if (largest <= limit) return false;
    bool was_limited = false;
    for_each_pair(levels_.size(), length(), [&](std::size_t a, std::size_t b) {
      const std::int32_t too_much = pair_excess(levels_[a], levels_[b], limit);
      if (too_much == 0) return;
      lower(levels_[a], too_much / 2);
      lower(levels_[b], too_much - too_much / 2);
      was_limited = true;
    });
    return was_limited;
  }

  // With an odd number of inputs the last of a tap and the first of the next are a pair.
  bool limit_copies() {
    const int physical = std::accumulate(copies_.begin(), copies_.end(), 0);
    const bool are_mixed = problem_.across_taps && physical % 2 == 1;
    const std::size_t length = are_mixed ? levels_.size() : inputs_;
    bool was_limited = false;
    for (std::size_t first = 0; first < levels_.size(); first += length)
      was_limited = limit_any_two(std::span(levels_).subspan(first, length)) || was_limited;
    return was_limited;
  }

  // The largest parts of each sign are lowered until the two largest fit. `levels`: whole taps.
  [[nodiscard]] bool limit_any_two(std::span<std::int16_t> levels) const {
    const std::int32_t limit = limit_of_pair();
    bool was_limited = false;
    for (const int sign : {1, -1}) {
      const auto part = [&](std::size_t k) {  // the largest on this side of zero
        const std::int32_t q = sign * levels[k];
        const int copies = copies_[k % inputs_];
        return q <= 0 ? 0 : (q + copies - 1) / copies;
      };
      std::array<std::int32_t, 2> most{0, 0};
      for (std::size_t k = 0; k < levels.size(); ++k) {
        const std::int32_t p = part(k);
        const bool is_split = copies_[k % inputs_] > 1;  // then its own copies may be neighbours
        for (int times = 0; times < (is_split ? 2 : 1); ++times) {
          if (p > most[0]) {
            most = {p, most[0]};
          } else if (p > most[1]) {
            most[1] = p;
          }
        }
      }
      if (most[0] + most[1] <= limit) continue;
      was_limited = true;
      const std::int32_t cap = std::max(limit / 2, limit - most[1]);
      for (std::size_t k = 0; k < levels.size(); ++k)
        if (part(k) > cap) levels[k] = static_cast<std::int16_t>(sign * cap * copies_[k % inputs_]);
      // Two different parts at the cap, or one split channel's copies, still fit: cap + most[1] <= limit or 2 * cap <= limit.
    }
    return was_limited;
  }

  const SaturationProblem& problem_;
  std::size_t inputs_;
  std::vector<std::size_t> places_;
  std::vector<float> values_;  // before rounding
  std::vector<std::int16_t> levels_;
  std::span<const int> copies_{};  // of this group's inputs; empty: one each
};

// The best scale for rows that share one.
float raise_scale(const SaturationProblem& problem, std::span<const RowId> ids, float scale,
                  Row& row) {
  const auto round_all = [&](float candidate) {
    Row::Rounded sum;
    for (const RowId& id : ids) {
      if (ids.size() > 1) row.select(id);
      const Row::Rounded rounded = row.round(candidate);
      sum.error += rounded.error;
      sum.was_limited = sum.was_limited || rounded.was_limited;
    }
    return sum;
  };
  const bool may_be_limited = std::ranges::any_of(ids, [&](const RowId& id) {
    row.select(id);
    return row.may_be_limited(scale);
  });
  if (!may_be_limited) return scale;
  Row::Rounded best = round_all(scale);
  if (!best.was_limited) return scale;
  // No pair exceeds twice the highest integer, so nothing is limited at the last factor.
  const double largest = 2.0 * static_cast<double>(problem.highest) /
                         static_cast<double>(pair_limit(problem.highest_level)) * 1.01;
  float chosen = scale;
  for (int step = 1; step <= factors_tried; ++step) {
    const float candidate =
        scale * static_cast<float>(std::pow(largest, static_cast<double>(step) / factors_tried));
    const Row::Rounded rounded = round_all(candidate);
    if (rounded.error < best.error) {
      best = rounded;
      chosen = candidate;
    }
    if (!rounded.was_limited) break;  // larger scales only round more coarsely
  }
  return chosen;
}

}  // namespace

bool can_saturate(const SaturationProblem& problem) {
  return adds_pairs(problem.weight, problem.across_taps) &&
         2 * problem.highest > pair_limit(problem.highest_level);
}

std::vector<float> scales_against_saturation(const SaturationProblem& problem,
                                             std::span<const float> scales) {
  std::vector<float> raised(scales.begin(), scales.end());
  if (!can_saturate(problem)) return raised;
  Row row(problem);
  const std::vector<RowId> rows = all_rows(problem.weight);
  if (scales.size() == 1) {
    raised[0] = raise_scale(problem, rows, scales[0], row);
    return raised;
  }
  for (std::size_t r = 0; r < rows.size(); ++r)
    raised[r] = raise_scale(problem, std::span(rows).subspan(r, 1), scales[r], row);
  return raised;
}

void limit_pairs(const SaturationProblem& problem, std::span<std::int16_t> stored) {
  if (!can_saturate(problem)) return;
  Row row(problem);
  for (const RowId& id : all_rows(problem.weight)) {
    row.select(id, stored);
    if (!row.limit()) continue;
    const auto levels = row.levels();
    const auto places = row.places();
    for (std::size_t k = 0; k < places.size(); ++k) stored[places[k]] = levels[k];
  }
}

bool any_pair_saturates(const SaturationProblem& problem, std::span<const std::int16_t> stored) {
  if (!can_saturate(problem)) return false;
  Row row(problem);
  return std::ranges::any_of(all_rows(problem.weight), [&](const RowId& id) {
    row.select(id, stored);
    return row.limit();
  });
}

}  // namespace ocs
