#include "ocs/core/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

TEST(ElementCount, RefusesFreeAndOverflowingExtents) {
  EXPECT_EQ(element_count(Shape{}), 1);
  EXPECT_EQ(element_count(Shape{2, 0, 3}), 0);
  EXPECT_THROW((void)element_count(Shape{1, -1}), Error);
  EXPECT_THROW((void)element_count(Shape{std::int64_t{1} << 40, std::int64_t{1} << 40}), Error);
}

TEST(Tensor, GivesItsValuesOnlyAsTheirOwnType) {
  const Tensor tensor{.shape = {2}, .values = std::vector<std::int8_t>{1, -1}};
  EXPECT_EQ(tensor.type(), ElementType::int8);
  EXPECT_EQ(tensor.as<std::int8_t>()[1], -1);
  EXPECT_THAT([&] { (void)tensor.as<float>(); },
              testing::ThrowsMessage<Error>("expected a tensor of type float, found int8"));
}

TEST(TensorView, CopiesBackToAnEqualTensor) {
  const Tensor tensor{.shape = {1, 3}, .values = std::vector<float>{1, 2, 3}};
  EXPECT_EQ(copy(view(tensor)), tensor);
  EXPECT_EQ(to_floats(view(Tensor{.shape = {2}, .values = std::vector<std::int64_t>{4, 5}})),
            (std::vector<float>{4, 5}));
}

}  // namespace
}  // namespace ocs
