#include "ocs/evaluate/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluate/fake_model.h"
#include "ocs/core/error.h"
#include "ocs/evaluate/accuracy.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::ThrowsMessage;

Samples five_samples() {
  std::vector<Item> items;
  for (int i = 0; i < 5; ++i)
    items.push_back({.scores = floats({1, 2}, {static_cast<float>(i), 2.0F}), .labels = {i % 2}});
  return samples_of(items);
}

TEST(InBatches, JoinsNeighboursAndLeavesTheRestSmaller) {
  const Samples batches = in_batches(five_samples(), 2);
  ASSERT_EQ(batches.count, 3U);
  const Sample first = batches.load(0);
  EXPECT_EQ(first.inputs.at("x"), floats({2, 2}, {0, 2, 1, 2}));
  EXPECT_THAT(first.labels, ElementsAre(0, 1));
  const Sample last = batches.load(2);
  EXPECT_EQ(last.inputs.at("x"), floats({1, 2}, {4, 2}));
  EXPECT_THAT(last.labels, ElementsAre(0));
}

TEST(InBatches, ChangesNoAccuracyOfAModelThatTreatsItemsOneByOne) {
  const Accuracy alone = measure_accuracy(echo(), five_samples());
  ASSERT_NE(alone.top1, alone.items);
  for (const std::size_t size : {1U, 2U, 3U, 5U, 100U})
    EXPECT_EQ(measure_accuracy(echo(), in_batches(five_samples(), size)), alone) << size;
}

auto loading(std::vector<Item> items) {
  return [items] { (void)in_batches(samples_of(items), 2).load(0); };
}

TEST(InBatches, NamesWhatCannotBeJoined) {
  EXPECT_THAT(loading({{.scores = floats({1, 2}, {0, 1})}, {.scores = floats({1, 3}, {0, 1, 2})}}),
              ThrowsMessage<Error>("sample 's1': input 'x': its float [1,3] cannot be joined to "
                                   "float [1,2] of the sample before"));
  EXPECT_THAT(loading({{.scores = floats({}, {0})}, {.scores = floats({}, {1})}}),
              ThrowsMessage<Error>("sample 's1': input 'x': its float [] cannot be joined to "
                                   "float [] of the sample before"));
}

}  // namespace
}  // namespace ocs
