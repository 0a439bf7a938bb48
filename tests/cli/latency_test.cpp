#include "cli/latency.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs::cli {
namespace {

TEST(Percentile, InterpolatesBetweenRanks) {
  EXPECT_DOUBLE_EQ(percentile({3.0, 1.0, 2.0}, 50.0), 2.0);
  EXPECT_DOUBLE_EQ(percentile({1.0, 2.0}, 50.0), 1.5);
  EXPECT_DOUBLE_EQ(percentile({0.0, 10.0}, 10.0), 1.0);
  EXPECT_DOUBLE_EQ(percentile({4.0}, 90.0), 4.0);
}

TEST(TimeInTurn, InterleavesAndForgetsTheWarmup) {
  double now = 0.0;
  std::string order;
  const auto action = [&](char name, double seconds) {
    return [&order, &now, name, seconds] {
      order += name;
      now += order.size() <= 2 ? 100.0 : seconds;  // the first round is slow
    };
  };
  std::size_t ticks = 0;
  const std::vector<Latency> times = time_in_turn(
      {action('a', 0.010), action('b', 0.005)}, 1, 3, [&] { return now; },
      [&](std::size_t) { ++ticks; });
  EXPECT_EQ(order, "abababab");
  EXPECT_EQ(ticks, 4U);
  // The clock's numbers have about 13 digits behind the hundreds of seconds.
  EXPECT_NEAR(times[0].median_ms, 10.0, 1e-9);
  EXPECT_NEAR(times[1].p90_ms, 5.0, 1e-9);
  EXPECT_NEAR(times[1].ratio, 0.5, 1e-9);
  EXPECT_EQ(times[0].ratio, 1.0);
}

TEST(TimeInTurn, TakesTheRatioRoundByRound) {
  // Both are three times as slow in the second of three rounds: the ratio does not see it.
  double now = 0.0;
  int round = 0;
  const auto times = time_in_turn(
      {[&] { now += ++round == 2 ? 3.0 : 1.0; }, [&] { now += round == 2 ? 6.0 : 2.0; }}, 0, 3,
      [&] { return now; }, {});
  EXPECT_DOUBLE_EQ(times[1].ratio, 2.0);
}

}  // namespace
}  // namespace ocs::cli
