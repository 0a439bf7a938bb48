#include "ocs/quant/pair_sums.h"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(PairSums, LimitIsWhatTwoProductsOf16BitsHold) {
  EXPECT_EQ(pair_limit(255), 128);
  EXPECT_EQ(pair_limit(127), 258);
  EXPECT_EQ(255 * 64 + 255 * 64, 32640);
}

TEST(PairSums, ExcessIsOfWeightsOfOneSignOnly) {
  EXPECT_EQ(pair_excess(100, 100, 128), 72);
  EXPECT_EQ(pair_excess(-100, -100, 128), 72);
  EXPECT_EQ(pair_excess(100, -100, 128), 0);
  EXPECT_EQ(pair_excess(127, 0, 128), 0);
  EXPECT_EQ(pair_excess(64, 64, 128), 0);
}

TEST(PairSums, PairsAreNeighboursInTheOrderTapsThenInputs) {
  // [outputs = 1, inputs = 3, taps = 2], stored with taps innermost: index = input * 2 + tap.
  const std::vector<float> data(6);
  const ChannelMatrix weight = dense_view(data, 1, 1, 3, 2);
  std::vector<std::size_t> row(6);
  kernel_order(weight, 0, 0, row);
  const auto pairs = [&](std::size_t length) {
    std::vector<std::pair<std::size_t, std::size_t>> found;
    for_each_pair(row.size(), length,
                  [&](std::size_t a, std::size_t b) { found.emplace_back(row[a], row[b]); });
    return found;
  };
  EXPECT_THAT(pairs(6), ElementsAre(Pair(0, 2), Pair(4, 1), Pair(3, 5)));
  EXPECT_THAT(pairs(3), ElementsAre(Pair(0, 2), Pair(1, 3)));  // each tap's third is left alone
}

}  // namespace
}  // namespace ocs
