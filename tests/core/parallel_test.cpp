#include "ocs/core/parallel.h"

#include <vector>

#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

TEST(ParallelFor, VisitsEveryItemOnce) {
  std::vector<int> visits(1000, 0);
  parallel_for(visits.size(), [&](std::size_t i) { ++visits[i]; });
  EXPECT_EQ(visits, std::vector<int>(1000, 1));
}

TEST(ParallelFor, RethrowsWhatAnItemThrows) {
  EXPECT_THROW(parallel_for(8,
                            [](std::size_t i) {
                              if (i == 5) throw_bad_input("five");
                            }),
               Error);
}

TEST(ThreadLimit, HoldsAsLongAsItLives) {
  const ThreadLimit limit(1);
  EXPECT_EQ(thread_count(), 1U);
}

}  // namespace
}  // namespace ocs
