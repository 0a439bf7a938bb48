#include "ocs/calibrate/unblock.h"

#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibrate/values.h"
#include "ocs/calibrate/moments.h"

namespace ocs {
namespace {

using values::blocked;
using values::message_of;

std::vector<float> some(std::int64_t channels, std::int64_t inner) {
  return values::activations(1, static_cast<std::size_t>(channels * inner), false);
}

TEST(Unblock, GivesTheSameBitsOnEveryInstructionSet) {
  for (const std::size_t block : {4U, 8U, 16U, 32U}) {
    for (const std::size_t inner : {1U, 3U, 4U, 7U, 49U, 196U}) {
      std::vector<float> from(block * inner);
      std::iota(from.begin(), from.end(), 1.0F);
      std::vector<float> expected(from.size());
      unblock_scalar(from, block, inner, expected);
      EXPECT_EQ(blocked(expected, static_cast<std::int64_t>(block),
                        static_cast<std::int64_t>(inner), static_cast<std::int64_t>(block)),
                from);
      values::for_each_target([&](const std::string& target) {
        std::vector<float> to(from.size());
        unblock(from, block, inner, to);
        EXPECT_EQ(to, expected) << target;
      });
    }
  }
}

TEST(ForEachChannels, ShowsAllChannelsInOrderAndNothingElse) {
  for (const std::int64_t channels : {1, 8, 20, 64}) {
    for (const std::int64_t at_once : {0, 100, 1000000}) {
      constexpr std::int64_t inner = 9;
      constexpr std::int64_t block = 8;
      const std::vector<float> item = some(channels, inner);
      const std::vector<float> memory = blocked(item, channels, inner, block);
      std::vector<float> shown;
      for_each_channels({.values = memory, .channels = channels, .inner = inner, .block = block},
                        at_once, [&](std::int64_t first, std::span<const float> part) {
                          EXPECT_EQ(first * inner, std::ssize(shown));
                          shown.insert(shown.end(), part.begin(), part.end());
                        });
      EXPECT_EQ(shown, item);
    }
  }
}

TEST(ForEachChannels, RefusesExtentsThatDoNotFit) {
  const std::vector<float> memory(64);
  for (const BlockedItem& item :
       {BlockedItem{.values = memory, .channels = 9, .inner = 8, .block = 8},
        BlockedItem{.values = memory, .channels = 8, .inner = 7, .block = 8},
        BlockedItem{.values = memory, .channels = 8, .inner = 8, .block = 0},
        BlockedItem{.values = memory, .channels = 32, .inner = 2, .block = 2}})
    EXPECT_THAT(message_of([&] { for_each_channels(item, 0, {}); }),
                testing::HasSubstr("do not fit"));
}

TEST(InOrder, PutsBlocksBack) {
  const std::vector<float> first = some(20, 6);
  std::vector<float> second = first;
  for (float& value : second) value += 1.0F;
  std::vector<float> memory = blocked(first, 20, 6, 16);
  const std::vector<float> more = blocked(second, 20, 6, 16);
  memory.insert(memory.end(), more.begin(), more.end());
  std::vector<float> expected = first;
  expected.insert(expected.end(), second.begin(), second.end());
  const Shape shape{2, 20, 2, 3};
  const OutputView value{
      .name = "y", .tensor = {.shape = shape, .data = memory.data()}, .block = 16};
  EXPECT_EQ(in_order(value), (Tensor{.shape = shape, .values = expected}));
}

// Sums in double depend on the order, these do not: they are made in that of the plain item.
TEST(ChannelMoments, OfBlocksAreThoseOfTheValuesInOrder) {
  for (const std::int64_t channels : {3, 16, 50}) {
    for (const std::int64_t inner : {1, 49, 5000}) {
      const std::vector<float> item = some(channels, inner);
      ChannelMoments plain;
      plain.add(item, 1, channels, inner);
      const std::vector<float> memory = blocked(item, channels, inner, 8);
      ChannelMoments of_blocks;
      std::vector<float> shown;
      of_blocks.add({.values = memory, .channels = channels, .inner = inner, .block = 8},
                    [&](std::span<const float> piece) {
                      shown.insert(shown.end(), piece.begin(), piece.end());
                    });
      EXPECT_EQ(of_blocks, plain);
      EXPECT_EQ(shown, item);
    }
  }
}

}  // namespace
}  // namespace ocs
