// For a share r of the widest step the error is a smooth valley plus the noise of rounding: each
// value adds D^2/12 on average, but which values happen to lie near a level changes with every
// step, by about 1/sqrt(n) of the whole. Hence: walk down from the widest step to find the valley,
// look closely wherever noise can hide the minimum, descend from the best points.
#include "ocs/clip/step_search.h"

#include <algorithm>
#include <cmath>

namespace ocs {
namespace {

constexpr double coarse_factor = 0.92;       // of one coarse candidate to the next
constexpr double least_ratio = 1.0 / 16384;  // no grid of 2..16 bits clips more than that

struct Point {
  double ratio = 1.0;  // step / widest
  double error = 0.0;  // in units of widest^2
  double refit = 1.0;  // the ratio that suits the levels chosen at `ratio` best (least squares)
};

Point point_at(const StepProblem& problem, double ratio) {
  const GridFit fit = grid_fit(problem.values, problem.counts,
                               static_cast<float>(ratio * problem.widest), problem.levels);
  const double refit = fit.square > 0.0 ? ratio * fit.cross / fit.square : ratio;
  return {.ratio = ratio,
          .error = fit.error * ratio * ratio,
          .refit = std::clamp(refit, least_ratio, 1.0)};
}

Point better(const Point& a, const Point& b) { return b.error < a.error ? b : a; }

StepChoice choice_of(const StepProblem& problem, const Point& point) {
  return {.step = point.ratio * problem.widest,
          .error = point.error * problem.widest * problem.widest};
}

// The ratio below which clipping the farthest value alone costs more than `error`.
double least_useful_ratio(const StepProblem& problem, double error) {
  return std::max(least_ratio, 1.0 - std::sqrt(error) / problem.farthest);
}

// From the widest step downwards, until clipping costs more than the best so far: what is clipped
// now will be clipped by more further on.
std::vector<Point> walk_down(const StepProblem& problem) {
  std::vector<Point> points{point_at(problem, 1.0)};
  Point best = points.front();
  for (double ratio = coarse_factor; ratio > least_useful_ratio(problem, best.error);
       ratio *= coarse_factor) {
    points.push_back(point_at(problem, ratio));
    best = better(best, points.back());
    if (points.back().error > 4.0 * best.error) break;
  }
  return points;
}

// Points close enough to meet every dip of the noise, wherever a coarse point is so good that a dip
// near it can be the minimum.
std::vector<Point> look_closely(const StepProblem& problem, const std::vector<Point>& coarse) {
  const Point best = std::ranges::min(coarse, {}, &Point::error);
  const double noise = 4.0 / std::sqrt(static_cast<double>(problem.values.size()));
  double low = best.ratio;
  double high = best.ratio;
  for (const Point& point : coarse) {
    if (point.error > (1.0 + noise) * best.error) continue;
    low = std::min(low, point.ratio);
    high = std::max(high, point.ratio);
  }
  low = std::max(low * coarse_factor, least_useful_ratio(problem, best.error));
  high = std::min(high / coarse_factor, 1.0);
  const double spacing = 0.35 / problem.farthest;  // a third of the way to another level
  const double count = std::clamp(std::ceil(std::log(high / low) / spacing), 12.0, 48.0);
  std::vector<Point> points;
  for (double i = 0.0; i <= count; i += 1.0) {
    points.push_back(point_at(problem, high * std::pow(low / high, i / count)));
  }
  return points;
}

// Moves to a better neighbour at half of `reach`, or to the refit, and halves again.
Point descend(const StepProblem& problem, Point best, double reach, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    reach /= 2.0;
    Point found = best;
    for (const double ratio : {best.ratio - reach, best.ratio + reach, best.refit}) {
      if (ratio > 0.0 && ratio <= 1.0) found = better(found, point_at(problem, ratio));
    }
    best = found;
  }
  return best;
}

}  // namespace

CountedValues counted_values(const ClipInput& input, std::size_t most) {
  const std::span<const float> values = input.values;
  const auto count_of = [&](std::size_t i) { return input.counts.empty() ? 1.0 : input.counts[i]; };
  CountedValues counted;
  if (values.size() <= most) {
    counted.values.assign(values.begin(), values.end());
    counted.counts.assign(input.counts.begin(), input.counts.end());
    return counted;
  }
  struct Bin {
    double count = 0.0;
    double sum = 0.0;
  };
  std::vector<Bin> bins(most);
  const double low = input.min;
  const double per_unit = static_cast<double>(most) / (static_cast<double>(input.max) - low);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    const auto at = static_cast<std::size_t>((value - low) * per_unit);
    Bin& bin = bins[std::min(at, most - 1)];
    bin.count += count_of(i);
    bin.sum += count_of(i) * value;
  }
  for (const Bin& bin : bins) {
    if (bin.count == 0.0) continue;
    counted.values.push_back(static_cast<float>(bin.sum / bin.count));
    counted.counts.push_back(static_cast<float>(bin.count));
  }
  return counted;
}

StepProblem step_problem(const CountedValues& values, float min, float max, LevelRange levels) {
  StepProblem problem{.values = values.values, .counts = values.counts, .levels = levels};
  const auto reach = [&](double end, std::int32_t steps) {
    if (steps > 0 && end / steps > problem.widest) {
      problem.widest = end / steps;
      problem.farthest = steps;
    }
  };
  reach(max, levels.highest);
  reach(-static_cast<double>(min), -levels.lowest);
  return problem;
}

StepChoice coarse_step(const StepProblem& problem) {
  const Point best = std::ranges::min(walk_down(problem), {}, &Point::error);
  return choice_of(problem, descend(problem, best, 1.0 - coarse_factor, 3));
}

StepChoice best_step(const StepProblem& problem) {
  const std::vector<Point> coarse = walk_down(problem);
  std::vector<Point> points = look_closely(problem, coarse);
  const double reach = points[0].ratio - points[1].ratio;
  points.insert(points.end(), coarse.begin(), coarse.end());
  std::ranges::sort(points, {}, &Point::error);
  const Point first = descend(problem, points[0], reach, 5);
  return choice_of(problem, better(first, descend(problem, points[1], reach, 5)));
}

}  // namespace ocs
