#include "ocs/plan/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

using testing::ElementsAre;

std::vector<std::size_t> batches(const std::vector<std::int64_t>& sizes, std::int64_t limit) {
  return batches_of(
      sizes.size(), [&](std::size_t i) { return sizes[i]; }, limit);
}

TEST(Batches, HoldNeighboursUpToTheLimit) {
  EXPECT_THAT(batches({3, 3, 4, 1, 9, 2}, 10), ElementsAre(0, 3, 5, 6));
}

TEST(Batches, HoldALargeItemByItself) {
  EXPECT_THAT(batches({20, 1, 30, 1}, 10), ElementsAre(0, 1, 2, 3, 4));
}

TEST(Batches, OfNothingAreNone) { EXPECT_THAT(batches({}, 10), ElementsAre(0)); }

}  // namespace
}  // namespace ocs
