// Several models timed side by side in one process, so that what disturbs one disturbs all.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace ocs::cli {

struct Latency {
  double median_ms = 0.0;
  double p10_ms = 0.0;
  double p90_ms = 0.0;
  double ratio = 1.0;  // median over the rounds of this one's time by the first one's
};

// Calls every action once a round, in turn; `warmup` rounds are not counted. `rounds` >= 1. `clock` gives seconds; `tick` hears of
// every round that is over.
[[nodiscard]] std::vector<Latency> time_in_turn(const std::vector<std::function<void()>>& actions,
                                                std::size_t warmup, std::size_t rounds,
                                                const std::function<double()>& clock,
                                                const std::function<void(std::size_t)>& tick);

// The p-th percentile (0..100) by linear interpolation between the two nearest ranks. `values` is not empty.
[[nodiscard]] double percentile(std::vector<double> values, double p);

}  // namespace ocs::cli
