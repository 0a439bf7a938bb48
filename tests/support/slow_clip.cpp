#include "support/slow_clip.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <numeric>

namespace ocs {
namespace {

double square(double x) { return x * x; }

double count_of(const ClipInput& input, std::size_t i) {
  return input.counts.empty() ? 1.0 : input.counts[i];
}

// Empty bins get 1e-4 each, taken from the others in equal shares; nothing where one runs dry.
std::vector<double> smoothed(const std::vector<double>& bins) {
  const auto zeros = static_cast<double>(std::ranges::count(bins, 0.0));
  const double others = static_cast<double>(bins.size()) - zeros;
  std::vector<double> smooth;
  for (const double bin : bins) {
    smooth.push_back(bin == 0.0 ? 1e-4 : bin - 1e-4 * zeros / others);
    if (smooth.back() <= 0.0) return {};
  }
  return smooth;
}

double divergence(const std::vector<double>& p, const std::vector<double>& q) {
  const std::vector<double> smooth_p = smoothed(p);
  const std::vector<double> smooth_q = smoothed(q);
  if (smooth_p.empty() || smooth_q.empty()) return std::numeric_limits<double>::infinity();
  const double p_sum = std::accumulate(smooth_p.begin(), smooth_p.end(), 0.0);
  const double q_sum = std::accumulate(smooth_q.begin(), smooth_q.end(), 0.0);
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    sum += smooth_p[i] / p_sum * std::log(smooth_p[i] / p_sum / (smooth_q[i] / q_sum));
  }
  return sum;
}

// The counts inside, merged into groups and spread again over the bins that were not empty.
std::vector<double> regrouped(const std::vector<double>& inside, std::size_t groups) {
  std::vector<double> q(inside.size(), 0.0);
  const std::size_t width = inside.size() / groups;
  for (std::size_t j = 0; j < groups; ++j) {
    const std::size_t begin = j * width;
    const std::size_t end = j + 1 == groups ? inside.size() : begin + width;
    double sum = 0.0;
    double used = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      sum += inside[i];
      used += inside[i] > 0.0 ? 1.0 : 0.0;
    }
    for (std::size_t i = begin; i < end; ++i) q[i] = inside[i] > 0.0 ? sum / used : 0.0;
  }
  q.back() = 0.0;
  return q;
}

}  // namespace

double slow_error(const ClipInput& input, double step, std::int32_t lowest, std::int32_t highest) {
  double error = 0.0;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const double x = input.values[i];
    const double level = std::clamp(std::nearbyint(x / step), double(lowest), double(highest));
    error += count_of(input, i) * square(x - level * step);
  }
  return error;
}

double least_error(const std::vector<float>& values, std::int32_t steps) {
  struct Change {
    double step = 0.0;
    double magnitude = 0.0;
    double level = 0.0;  // below `step` the magnitude has one level more than this
  };
  double widest = 0.0;
  for (const float v : values) widest = std::max(widest, std::abs(double(v)) / steps);
  std::vector<Change> changes;
  double cross = 0.0;
  double squares = 0.0;
  double energy = 0.0;
  for (const float v : values) {
    const double magnitude = std::abs(double(v));
    const double level = std::min<double>(std::nearbyint(magnitude / widest), steps);
    energy += square(magnitude);
    cross += level * magnitude;
    squares += square(level);
  }
  // Clipping the largest alone costs more than the widest step where a step is below `least`.
  const double error_of_widest = energy - 2.0 * widest * cross + square(widest) * squares;
  const double least = widest - std::sqrt(error_of_widest) / steps;
  for (const float v : values) {
    const double magnitude = std::abs(double(v));
    double level = std::min<double>(std::nearbyint(magnitude / widest), steps);
    for (; level < steps && magnitude > (level + 0.5) * least && magnitude > 0.0; ++level) {
      changes.push_back(
          {.step = magnitude / (level + 0.5), .magnitude = magnitude, .level = level});
    }
  }
  std::ranges::sort(changes, std::greater{}, &Change::step);
  double best = energy;
  double upper = widest;
  const auto look_down_to = [&](double lower) {
    const double step = squares > 0.0 ? std::clamp(cross / squares, lower, upper) : upper;
    best = std::min(best, energy - 2.0 * step * cross + square(step) * squares);
  };
  for (const Change& change : changes) {
    look_down_to(std::min(change.step, upper));
    upper = std::min(change.step, upper);
    cross += change.magnitude;
    squares += 2.0 * change.level + 1.0;
  }
  return best;
}

double slow_aciq_threshold(const ClipInput& input) {
  constexpr std::array laplace{2.33152939, 3.04528770, 4.00378631, 5.08252088,
                               6.23211675, 7.42700429, 8.65265030};
  constexpr std::array gauss{1.47818312, 1.80489289, 2.19227856, 2.57733584,
                             2.94451183, 3.29076248, 3.61691335};
  double count = 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    count += count_of(input, i);
    sum += count_of(input, i) * double(input.values[i]);
  }
  double deviations = 0.0;
  for (std::size_t i = 0; i < input.values.size(); ++i)
    deviations += count_of(input, i) * std::abs(double(input.values[i]) - sum / count);
  const double sigma = (double(input.max) - double(input.min)) * 0.175 *
                       (1.0 + std::sqrt(std::numbers::pi * std::log(4.0))) /
                       std::sqrt(2.0 * std::log(count));

  constexpr double bins = 101.0;
  const double max_abs = input.max_abs();
  const double width = 2.0 * max_abs / bins;
  const auto histogram_error = [&](double threshold) {
    const double steps = input.grid.steps();
    const double step = threshold / steps;
    double error = 0.0;
    for (std::size_t i = 0; i < input.values.size(); ++i) {
      const double position = (double(input.values[i]) + max_abs) / width;
      const double centre = (std::min(std::floor(position), bins - 1.0) + 0.5) * width - max_abs;
      const double level = std::clamp(std::nearbyint(centre / step), -steps, steps);
      error += count_of(input, i) * square(centre - level * step);
    }
    return error;
  };
  const auto multiple = static_cast<std::size_t>(input.grid.bits - 2);
  const double of_laplace = std::min(max_abs, laplace.at(multiple) * deviations / count);
  const double of_gauss = std::min(max_abs, gauss.at(multiple) * sigma);
  return histogram_error(of_gauss) < histogram_error(of_laplace) ? of_gauss : of_laplace;
}

double slow_kl_threshold(const ClipInput& input) {
  constexpr std::size_t half = 500;
  const double max_abs = input.max_abs();
  const double width = 2.0 * max_abs / (2 * half + 1);
  std::vector<double> counts(2 * half + 1, 0.0);
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const double position = (static_cast<double>(input.values[i]) + max_abs) / width;
    counts[std::min(static_cast<std::size_t>(position), 2 * half)] += count_of(input, i);
  }
  double best = std::numeric_limits<double>::infinity();
  std::size_t best_half = half;
  for (auto i = static_cast<std::size_t>(input.grid.steps()); i <= half; ++i) {
    const auto begin = counts.begin() + static_cast<std::ptrdiff_t>(half - i);
    const auto end = counts.begin() + static_cast<std::ptrdiff_t>(half + i + 1);
    const std::vector<double> inside(begin, end);
    std::vector<double> p = inside;
    p.front() += std::accumulate(counts.begin(), begin, 0.0);
    p.back() += std::accumulate(end, counts.end(), 0.0);
    const auto groups = static_cast<std::size_t>(2 * input.grid.steps() + 1);
    const double found = divergence(p, regrouped(inside, groups));
    if (found < best) {
      best = found;
      best_half = i;
    }
  }
  return (static_cast<double>(best_half) + 0.5) * width;
}

}  // namespace ocs
