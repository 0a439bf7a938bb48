#include "ocs/split/select.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/random.h"
#include "support/slow_split.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using enum SplitParts;

ChannelMatrix row_major(std::span<const float> data, std::int64_t outputs, std::int64_t inputs,
                        std::int64_t taps = 1) {
  return {.data = data,
          .outputs = outputs,
          .inputs = inputs,
          .taps = taps,
          .output_stride = inputs * taps,
          .input_stride = taps};
}

float largest_of(const std::vector<float>& values) {
  return std::abs(*std::ranges::max_element(values, {}, [](float v) { return std::abs(v); }));
}

TEST(SplitCount, RoundsUpButNotBecauseOfADecimal) {
  EXPECT_EQ(split_count(0.0, 64), 0);
  EXPECT_EQ(split_count(0.01, 64), 1);
  EXPECT_EQ(split_count(0.1, 64), 7);
  EXPECT_EQ(split_count(0.07, 100), 7);  // 0.07 * 100 is 7.000000000000001 in double
  EXPECT_EQ(split_count(1.0, 48), 48);
}

TEST(ColumnMaxAbs, CoversOutputsAndTapsOfEveryGroup) {
  const std::vector<float> data{1, -2, 3, 4, -5, 0, 7, -8};
  EXPECT_THAT(column_max_abs(row_major(data, 2, 2, 2)), ElementsAre(5, 8));
  ChannelMatrix grouped = row_major(data, 1, 2, 2);
  grouped.groups = 2;
  grouped.group_stride = 4;
  EXPECT_THAT(column_max_abs(grouped), ElementsAre(2, 4, 5, 8));
}

TEST(SelectLargest, HalvesTheLargestNow) {
  const std::vector<float> data{8, 3, -5};
  const ChannelMatrix weight = row_major(data, 1, 3);
  const Split split = select_largest(weight, 4, halving);
  EXPECT_THAT(split.order, ElementsAre(0, 2, 0, 0));  // 8; 5; 4; 4
  EXPECT_THAT(split.copies, ElementsAre(4, 1, 2));
  EXPECT_EQ(split.max_abs_after, 3.0F);
}

TEST(SelectLargest, SharesEquallyAmongCopies) {
  const std::vector<float> data{9, 4, 1};
  const Split split = select_largest(row_major(data, 1, 3), 2, equal);
  EXPECT_THAT(split.order, ElementsAre(0, 0));  // 9; 4.5
  EXPECT_THAT(split.copies, ElementsAre(3, 1, 1));
  EXPECT_EQ(split.max_abs_after, 4.0F);
}

TEST(SelectLargest, TakesTheLowestPhysicalIndexOfATie) {
  const std::vector<float> data{4, 8, 4};
  // 8 at index 1 becomes 4 at 1 and 4 at 3; then 0, 1, 2, 3 are tied.
  EXPECT_THAT(select_largest(row_major(data, 1, 3), 5, halving).order, ElementsAre(1, 0, 1, 2, 1));
}

TEST(SelectLargest, LeavesAnUnsplitMatrixAlone) {
  const std::vector<float> data{1, -2};
  const Split split = select_largest(row_major(data, 1, 2), 0, halving);
  EXPECT_THAT(split.order, ElementsAre());
  EXPECT_THAT(split.copies, ElementsAre(1, 1));
  EXPECT_EQ(split.max_abs_after, 2.0F);
}

TEST(SelectLargest, RefusesGroups) {
  const std::vector<float> data{1, 2};
  ChannelMatrix weight = row_major(data, 1, 1);
  weight.groups = 2;
  EXPECT_THROW((void)select_largest(weight, 1, equal), Error);
}

TEST(SelectLargest, AgreesWithSplittingByHand) {
  Random random(11);
  for (int trial = 0; trial < 60; ++trial) {
    const auto inputs = static_cast<std::int64_t>(1 + random.below(12));
    std::vector<float> data = random.normals(static_cast<std::size_t>(3 * inputs * 2));
    if (trial % 3 == 0) {  // many ties
      for (float& w : data) w = std::round(w);
    }
    const ChannelMatrix weight = row_major(data, 3, inputs, 2);
    for (const int splits : {0, 1, 2, 5, 17, 40}) {
      const Split fast = select_largest(weight, splits, halving);
      const SlowSplit slow = halve_largest(weight, splits);
      ASSERT_EQ(fast.order, slow.order);
      ASSERT_EQ(fast.max_abs_after, slow.max_abs());
    }
  }
}

TEST(SelectLargest, LeavesTheLargestOfThePhysicalWeights) {
  Random random(12);
  const std::vector<float> data = random.normals(std::size_t{5} * 20 * 3);
  const ChannelMatrix weight = row_major(data, 5, 20, 3);
  for (const SplitParts parts : {equal, halving}) {
    for (const int splits : {0, 3, 20, 90}) {
      const Split split = select_largest(weight, splits, parts);
      const std::vector<float> physical = physical_weights(weight, split.copies, parts);
      EXPECT_EQ(std::ssize(physical), weight.size() + 15 * splits);
      EXPECT_EQ(largest_of(physical), split.max_abs_after) << splits;
    }
  }
}

TEST(SelectLargest, SplitsZerosToo) {
  const std::vector<float> data(4, 0.0F);
  EXPECT_THAT(select_largest(row_major(data, 1, 4), 2, halving).order, ElementsAre(0, 0));
  EXPECT_THAT(select_largest(row_major(data, 1, 4), 2, equal).order, ElementsAre(0, 0));
}

}  // namespace
}  // namespace ocs
