#include "ocs/quant/channel_matrix.h"

#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

using Visit = std::tuple<std::int64_t, std::int64_t, float>;  // row, column, value

std::vector<Visit> visits(const ChannelMatrix& weight) {
  std::vector<Visit> all;
  for_each_weight(weight, [&](std::int64_t row, std::int64_t column, std::size_t index) {
    all.emplace_back(row, column, weight.data[index]);
  });
  return all;
}

TEST(ChannelMatrix, WalksATransposedLayoutByOutputFirst) {
  const std::vector<float> data{1, 2, 3, 4, 5, 6};  // MatMul: [input, output] = [3, 2]
  const ChannelMatrix weight{
      .data = data, .outputs = 2, .inputs = 3, .output_stride = 1, .input_stride = 2};
  EXPECT_EQ(weight.size(), 6);
  EXPECT_EQ(weight.at(0, 1, 2, 0), 6.0F);
  EXPECT_THAT(visits(weight),
              testing::ElementsAre(Visit{0, 0, 1.0F}, Visit{0, 1, 3.0F}, Visit{0, 2, 5.0F},
                                   Visit{1, 0, 2.0F}, Visit{1, 1, 4.0F}, Visit{1, 2, 6.0F}));
}

TEST(ChannelMatrix, CountsRowsAndColumnsThroughAllGroups) {
  const std::vector<float> data{1, 2, 3, 4,
                                5, 6, 7, 8};  // Conv: [outputs, inputs of a group, taps]
  const ChannelMatrix weight{.data = data,
                             .groups = 2,
                             .outputs = 1,
                             .inputs = 2,
                             .taps = 2,
                             .group_stride = 4,
                             .output_stride = 4,
                             .input_stride = 2};
  EXPECT_EQ(weight.rows(), 2);
  EXPECT_EQ(weight.columns(), 4);
  EXPECT_THAT(visits(weight), testing::Contains(Visit{1, 3, 8.0F}));
  EXPECT_THAT(visits(weight), testing::Contains(Visit{0, 1, 4.0F}));
}

}  // namespace
}  // namespace ocs
