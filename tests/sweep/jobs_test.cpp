#include "ocs/sweep/jobs.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ocs/core/parallel.h"

namespace ocs {
namespace {

TEST(RunJobs, DoesEachOnceAndNotMoreAtOnceThanAsked) {
  for (const std::size_t jobs : {1U, 2U, 3U, 9U}) {
    std::vector<std::atomic<int>> calls(7);
    std::atomic<std::size_t> running = 0;
    std::atomic<std::size_t> most = 0;
    run_jobs(calls.size(), jobs, [&](std::size_t i) {
      const std::size_t now = ++running;
      for (std::size_t seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      // Waiting for parallel work of its own must not begin another job on this thread.
      parallel_for(
          16, [](std::size_t) { std::this_thread::sleep_for(std::chrono::microseconds(200)); });
      ++calls[i];
      --running;
    });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
    EXPECT_LE(most, jobs);
  }
}

TEST(RunJobs, StopsAtAnException) {
  std::atomic<int> calls = 0;
  EXPECT_THROW(run_jobs(1000, 1,
                        [&](std::size_t i) {
                          ++calls;
                          if (i == 3) throw std::runtime_error("no");
                        }),
               std::runtime_error);
  EXPECT_EQ(calls, 4);
}

TEST(DefaultJobs, AreBoundByMemoryAndThreads) {
  const ThreadLimit limit(4);
  const std::int64_t gigabyte = 1000000000;
  EXPECT_EQ(default_jobs(1000, 100 * gigabyte, 0), 4U);
  EXPECT_EQ(default_jobs(gigabyte, 14 * gigabyte, gigabyte), 2U);
  EXPECT_EQ(default_jobs(gigabyte, 2 * gigabyte, gigabyte), 1U);
  EXPECT_EQ(default_jobs(gigabyte, 0, 0), 4U);
}

TEST(AvailableMemory, IsKnownHere) { EXPECT_GT(available_memory(), 1000000); }

}  // namespace
}  // namespace ocs
