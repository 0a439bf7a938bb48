#include "ocs/quant/scale_index.h"

#include <vector>

#include <gtest/gtest.h>

namespace ocs {
namespace {

TEST(ScaleIndex, IsOneForAllOrOneForEachRow) {
  const std::vector<float> data(12);
  const ChannelMatrix weight = dense_view(data, 2, 2, 3, 1);
  EXPECT_EQ(ScaleIndex(weight, 1, 0)(3, 5), 0U);
  EXPECT_EQ(ScaleIndex(weight, 4, 0)(3, 5), 3U);
}

TEST(ScaleIndex, CountsTheBlocksOfARowSideBySide) {
  const std::vector<float> data(14);
  const ChannelMatrix weight = dense_view(data, 1, 2, 7, 1);  // blocks of 3, 3 and 1
  EXPECT_EQ(ScaleIndex::count_of(7, 3), 3);
  const ScaleIndex index(weight, 6, 3);
  EXPECT_EQ(index(0, 0), 0U);
  EXPECT_EQ(index(0, 2), 0U);
  EXPECT_EQ(index(0, 3), 1U);
  EXPECT_EQ(index(0, 6), 2U);
  EXPECT_EQ(index(1, 5), 4U);
}

}  // namespace
}  // namespace ocs
