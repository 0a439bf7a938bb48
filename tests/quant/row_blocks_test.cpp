#include "ocs/quant/row_blocks.h"

#include <atomic>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

using testing::Each;
using testing::ElementsAre;

TEST(RowBlocks, HoldEveryRowOnce) {
  const ChannelMatrix weight = dense_view({}, 3, 70, 2, 1);
  std::vector<std::atomic<int>> seen(210);
  for_each_row_block(weight, [&](const RowBlock& block) {
    EXPECT_GT(block.rows(), 0);
    for (std::int64_t row = block.first; row < block.last; ++row)
      ++seen[static_cast<std::size_t>(block.group * 70 + row)];
  });
  EXPECT_THAT(std::vector<int>(seen.begin(), seen.end()), Each(1));
}

std::vector<std::size_t> places(const ChannelMatrix& weight) {
  std::vector<std::size_t> all;
  for_each_pair(weight, {.group = 0, .first = 1, .last = 3},
                [&](std::int64_t output, std::int64_t input) {
                  all.push_back(weight.index(0, output, input, 0));
                });
  return all;
}

TEST(RowBlocks, ArePassedInTheOrderOfTheLayout) {
  EXPECT_THAT(places(dense_view({}, 1, 4, 2, 1)), ElementsAre(2, 3, 4, 5));
  const ChannelMatrix turned{.outputs = 4, .inputs = 2, .output_stride = 1, .input_stride = 4};
  EXPECT_THAT(places(turned), ElementsAre(1, 2, 5, 6));
}

}  // namespace
}  // namespace ocs
