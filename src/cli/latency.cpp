#include "cli/latency.h"

#include <algorithm>
#include <cmath>

namespace ocs::cli {

double percentile(std::vector<double> values, double p) {
  std::ranges::sort(values);
  const double rank = p / 100.0 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(rank));
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], rank - static_cast<double>(below));
}

std::vector<Latency> time_in_turn(const std::vector<std::function<void()>>& actions,
                                  std::size_t warmup, std::size_t rounds,
                                  const std::function<double()>& clock,
                                  const std::function<void(std::size_t)>& tick) {
  std::vector<std::vector<double>> times(actions.size());
  for (std::size_t round = 0; round < warmup + rounds; ++round) {
    for (std::size_t i = 0; i < actions.size(); ++i) {
      const double begin = clock();
      actions[i]();
      if (round >= warmup) times[i].push_back((clock() - begin) * 1000.0);
    }
    if (tick) tick(round + 1);
  }
  std::vector<Latency> result;
  for (const std::vector<double>& own : times) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < rounds; ++round)
      ratios.push_back(times[0][round] > 0.0 ? own[round] / times[0][round] : 1.0);
    result.push_back({.median_ms = percentile(own, 50.0),
                      .p10_ms = percentile(own, 10.0),
                      .p90_ms = percentile(own, 90.0),
                      .ratio = percentile(ratios, 50.0)});
  }
  return result;
}

}  // namespace ocs::cli
