#include "ocs/calibrate/items.h"

#include <gtest/gtest.h>

namespace ocs {
namespace {

Sample sample_of(const std::vector<Shape>& shapes) {
  Sample sample;
  for (std::size_t i = 0; i < shapes.size(); ++i)
    sample.inputs["input" + std::to_string(i)] = {.shape = shapes[i]};
  return sample;
}

TEST(BatchOf, IsTheFirstExtentThatAllInputsShare) {
  EXPECT_EQ(batch_of(sample_of({{4, 3, 8, 8}})), 4);
  EXPECT_EQ(batch_of(sample_of({{4, 3}, {4, 7}, {}})), 4);
  EXPECT_EQ(batch_of(sample_of({{35, 1, 650}, {1, 1, 650}})), 1);
  EXPECT_EQ(batch_of(sample_of({{}})), 1);
  EXPECT_EQ(batch_of(sample_of({{0, 3}})), 1);
  EXPECT_EQ(batch_of(sample_of({})), 1);
}

TEST(ItemsOf, DivideTheFirstExtent) {
  const Items items = items_of(Shape{6, 5, 4}, 3);
  EXPECT_EQ(items.shape, (Shape{2, 5, 4}));
  EXPECT_EQ(items.count, 3);
  EXPECT_EQ(items.repeats, 1);
}

TEST(ItemsOf, CountATensorWithoutBatchOnceForEveryItem) {
  const Items items = items_of(Shape{1, 5}, 3);
  EXPECT_EQ(items.shape, (Shape{1, 5}));
  EXPECT_EQ(items.count, 1);
  EXPECT_EQ(items.repeats, 3);
  EXPECT_EQ(items_of(Shape{}, 3).repeats, 3);
}

TEST(ItemsOf, KeepTogetherWhatDoesNotDivide) {
  const Items items = items_of(Shape{7, 5}, 3);
  EXPECT_EQ(items.shape, (Shape{7, 5}));
  EXPECT_EQ(items.count, 1);
  EXPECT_EQ(items.repeats, 1);
}

}  // namespace
}  // namespace ocs
