#include "ocs/plan/avoid_saturation.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ocs/quant/affine.h"
#include "ocs/quant/pair_sums.h"

namespace ocs {
namespace {

// Between the least and the largest factor that can help; more steps change the error by less than a percent.
constexpr int factors_tried = 10;

struct Row {
  std::int64_t group = 0;
  std::int64_t output = 0;
};

void lower(std::int16_t& value, std::int32_t by) {
  value = static_cast<std::int16_t>(value > 0 ? value - by : value + by);
}

// Neighbours in the order taps, inputs: each takes half of what is too much, as far as it has that much.
void limit_neighbours(const SaturationProblem& problem, const Row& row,
                      std::span<std::int16_t> stored) {
  const std::int32_t limit = pair_limit(problem.highest_level);
  for_each_pair(problem.weight, row.group, row.output, [&](std::size_t a, std::size_t b) {
    const std::int32_t too_much = pair_excess(stored[a], stored[b], limit);
    if (too_much == 0) return;
    lower(stored[a], too_much / 2);
    lower(stored[b], too_much - too_much / 2);
  });
}

// Any two of one tap: the largest parts of each sign are lowered until the two largest fit.
void limit_any_two(const SaturationProblem& problem, const Row& row,
                   std::span<std::int16_t> stored) {
  const ChannelMatrix& weight = problem.weight;
  const std::int32_t limit = pair_limit(problem.highest_level);
  for (std::int64_t tap = 0; tap < weight.taps; ++tap) {
    for (const int sign : {1, -1}) {
      const auto copies = [&](std::int64_t i) {
        return problem.copies[static_cast<std::size_t>(row.group * weight.inputs + i)];
      };
      const auto part =
          [&](std::int64_t i) {  // the largest part of this weight on this side of zero
            const std::int32_t q = sign * stored[weight.index(row.group, row.output, i, tap)];
            return q <= 0 ? 0 : (q + copies(i) - 1) / copies(i);
          };
      std::array<std::int32_t, 2> most{0, 0};
      for (std::int64_t i = 0; i < weight.inputs; ++i) {
        const std::int32_t p = part(i);
        const bool is_split = copies(i) > 1;  // then its own copies may be neighbours
        for (int times = 0; times < (is_split ? 2 : 1); ++times) {
          if (p > most[0]) {
            most = {p, most[0]};
          } else if (p > most[1]) {
            most[1] = p;
          }
        }
      }
      if (most[0] + most[1] <= limit) continue;
      const std::int32_t cap = std::max(limit / 2, limit - most[1]);
      for (std::int64_t i = 0; i < weight.inputs; ++i) {
        if (part(i) <= cap) continue;
        stored[weight.index(row.group, row.output, i, tap)] =
            static_cast<std::int16_t>(sign * cap * copies(i));
      }
      // Two different parts at the cap, or one split channel's copies, still fit: cap + most[1] <= limit or 2 * cap <= limit.
    }
  }
}

void limit_row(const SaturationProblem& problem, const Row& row, std::span<std::int16_t> stored) {
  if (problem.copies.empty()) {
    limit_neighbours(problem, row, stored);
  } else {
    limit_any_two(problem, row, stored);
  }
}

struct Rounded {
  double error = 0.0;
  bool was_limited = false;
};

// Squared error of one row at this scale, pairs limited; `scratch` has the size of the matrix.
Rounded round_row(const SaturationProblem& problem, const Row& row, float scale,
                  std::span<std::int16_t> scratch) {
  const ChannelMatrix& weight = problem.weight;
  const auto for_each = [&](auto&& visit) {
    for (std::int64_t i = 0; i < weight.inputs; ++i) {
      const int copies =
          problem.copies.empty()
              ? 1
              : problem.copies[static_cast<std::size_t>(row.group * weight.inputs + i)];
      for (std::int64_t k = 0; k < weight.taps; ++k)
        visit(weight.index(row.group, row.output, i, k), copies * problem.highest);
    }
  };
  std::int64_t before = 0;
  std::int64_t after = 0;
  for_each([&](std::size_t at, std::int32_t highest) {
    scratch[at] = static_cast<std::int16_t>(quantize(weight.data[at], scale, 0, -highest, highest));
    before += std::abs(scratch[at]);
  });
  limit_row(problem, row, scratch);
  Rounded rounded;
  for_each([&](std::size_t at, std::int32_t) {
    const double error =
        static_cast<double>(weight.data[at]) - static_cast<double>(scale) * scratch[at];
    rounded.error += error * error;
    after += std::abs(scratch[at]);
  });
  rounded.was_limited = after != before;
  return rounded;
}

std::vector<Row> all_rows(const ChannelMatrix& weight) {
  std::vector<Row> rows;
  for (std::int64_t g = 0; g < weight.groups; ++g)
    for (std::int64_t o = 0; o < weight.outputs; ++o) rows.push_back({.group = g, .output = o});
  return rows;
}

// The best scale for rows that share one.
float raise_scale(const SaturationProblem& problem, std::span<const Row> rows, float scale,
                  std::span<std::int16_t> scratch) {
  const auto round_all = [&](float candidate) {
    Rounded sum;
    for (const Row& row : rows) {
      const Rounded rounded = round_row(problem, row, candidate, scratch);
      sum.error += rounded.error;
      sum.was_limited = sum.was_limited || rounded.was_limited;
    }
    return sum;
  };
  Rounded best = round_all(scale);
  if (!best.was_limited) return scale;
  // No pair exceeds twice the highest integer, so nothing is limited at the last factor.
  const double largest = 2.0 * static_cast<double>(problem.highest) /
                         static_cast<double>(pair_limit(problem.highest_level)) * 1.01;
  float chosen = scale;
  for (int step = 1; step <= factors_tried; ++step) {
    const float candidate =
        scale * static_cast<float>(std::pow(largest, static_cast<double>(step) / factors_tried));
    const Rounded rounded = round_all(candidate);
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
  return adds_pairs(problem.weight) && 2 * problem.highest > pair_limit(problem.highest_level);
}

std::vector<float> scales_against_saturation(const SaturationProblem& problem,
                                             std::span<const float> scales) {
  std::vector<float> raised(scales.begin(), scales.end());
  if (!can_saturate(problem)) return raised;
  std::vector<std::int16_t> scratch(problem.weight.data.size());
  const std::vector<Row> rows = all_rows(problem.weight);
  if (scales.size() == 1) {
    raised[0] = raise_scale(problem, rows, scales[0], scratch);
    return raised;
  }
  for (std::size_t r = 0; r < rows.size(); ++r)
    raised[r] = raise_scale(problem, std::span(rows).subspan(r, 1), scales[r], scratch);
  return raised;
}

void limit_pairs(const SaturationProblem& problem, std::span<std::int16_t> stored) {
  if (!can_saturate(problem)) return;
  for (const Row& row : all_rows(problem.weight)) limit_row(problem, row, stored);
}

}  // namespace ocs
