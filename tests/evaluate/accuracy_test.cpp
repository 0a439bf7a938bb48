#include "ocs/evaluate/accuracy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluate/fake_model.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/core/random.h"

namespace ocs {
namespace {

using testing::ThrowsMessage;

TEST(MeasureAccuracy, CountsLabelsThatRankFirstAndAmongTheFirstFive) {
  const Tensor scores = floats({1, 7}, {0.1F, 0.7F, 0.6F, 0.5F, 0.4F, 0.3F, 0.2F});
  std::vector<Item> items;
  for (int label = 0; label < 7; ++label) items.push_back({.scores = scores, .labels = {label}});
  EXPECT_EQ(measure_accuracy(echo(), samples_of(items)),
            (Accuracy{.items = 7, .top1 = 1, .top5 = 5}));
}

TEST(MeasureAccuracy, TakesSeveralItemsInASample) {
  const Samples samples =
      samples_of({{.scores = floats({2, 2, 1, 1}, {1, 0, 0, 1}), .labels = {0, 0}},
                  {.scores = floats({2}, {0, 1}), .labels = {1}}});
  const Accuracy accuracy = measure_accuracy(echo(), samples);
  EXPECT_EQ(accuracy, (Accuracy{.items = 3, .top1 = 2, .top5 = 3}));
  EXPECT_DOUBLE_EQ(accuracy.top1_percent(), 200.0 / 3);
  EXPECT_EQ(accuracy.top5_percent(), 100.0);
  EXPECT_EQ(Accuracy{}.top1_percent(), 0.0);
}

TEST(MeasureAccuracy, GivesEqualScoresToTheSmallerIndex) {
  const Tensor equal = floats({1, 3}, {2, 2, 2});
  EXPECT_EQ(measure_accuracy(echo(), samples_of({{.scores = equal, .labels = {0}}})).top1, 1U);
  EXPECT_EQ(measure_accuracy(echo(), samples_of({{.scores = equal, .labels = {1}}})).top1, 0U);
}

// The obvious way: sort the classes, look for the label.
TEST(MeasureAccuracy, EqualsSortingForAnyNumberOfThreads) {
  Random random(3);
  std::vector<Item> items;
  Accuracy expected;
  for (int i = 0; i < 200; ++i) {
    std::vector<float> scores(12);
    for (float& score : scores) score = static_cast<float>(random.below(9));  // with ties
    const int label = static_cast<int>(random.below(12));
    std::vector<int> order(12);
    for (int c = 0; c < 12; ++c) order[static_cast<std::size_t>(c)] = c;
    std::ranges::stable_sort(order, std::greater{},
                             [&](int c) { return scores[static_cast<std::size_t>(c)]; });
    const auto place = std::ranges::find(order, label) - order.begin();
    expected.items += 1;
    expected.top1 += place < 1 ? 1U : 0U;
    expected.top5 += place < 5 ? 1U : 0U;
    items.push_back({.scores = floats({1, 12}, scores), .labels = {label}});
  }
  for (const std::size_t threads : {1U, 4U}) {
    const ThreadLimit limit(threads);
    EXPECT_EQ(measure_accuracy(echo(), samples_of(items)), expected);
  }
}

auto measuring(const Item& item) {
  return [item] { (void)measure_accuracy(echo(), samples_of({item})); };
}

TEST(MeasureAccuracy, NamesWhatDoesNotFit) {
  const Tensor scores = floats({2, 3}, {0, 1, 2, 3, 4, 5});
  EXPECT_THAT(measuring({.scores = scores, .labels = {1, 3}}),
              ThrowsMessage<Error>("sample 's0': label 3; the output 'y' has the classes 0 to 2"));
  EXPECT_THAT(measuring({.scores = scores, .labels = {1, -1}}),
              ThrowsMessage<Error>("sample 's0': label -1; the output 'y' has the classes 0 to 2"));
  EXPECT_THAT(measuring({.scores = scores, .labels = {1}}),
              ThrowsMessage<Error>("sample 's0': 1 labels, and 2 items in the output 'y'"));
  EXPECT_THAT(
      measuring({.scores = floats({2, 1}, {0, 1}), .labels = {1, 1}}),
      ThrowsMessage<Error>("sample 's0': the model has no output with a score for each class"));
  Samples unlabelled = samples_of({{.scores = scores}});
  unlabelled.has_labels = false;
  EXPECT_THAT([&] { (void)measure_accuracy(echo(), unlabelled); },
              ThrowsMessage<Error>("made up: the samples have no labels"));
}

}  // namespace
}  // namespace ocs
