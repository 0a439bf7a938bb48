#include "ocs/quant/params.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

TEST(CheckParams, AcceptsOneScaleOrOneForEachIndexOfAnAxis) {
  EXPECT_NO_THROW(check(QuantParams{}));
  EXPECT_NO_THROW(check({.axis = 0, .scale = {1.0F, 0.5F}, .zero_point = {0, -3}}));
}

TEST(CheckParams, RefusesScalesThatCannotDivide) {
  for (const float scale : {0.0F, -1.0F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()})
    EXPECT_THROW(check({.scale = {scale}}), Error) << scale;
}

TEST(CheckParams, RefusesSizesThatDoNotFit) {
  EXPECT_THROW(check({.scale = {}, .zero_point = {}}), Error);
  EXPECT_THROW(check({.axis = 0, .scale = {1.0F, 2.0F}, .zero_point = {0}}), Error);
  EXPECT_THROW(check({.scale = {1.0F, 2.0F}, .zero_point = {0, 0}}), Error);
}

TEST(CheckParams, RefusesAZeroPointOutsideTheGrid) {
  EXPECT_THROW(check({.zero_point = {128}}), Error);
  EXPECT_NO_THROW(check({.grid = {.is_signed = false}, .zero_point = {128}}));
}

TEST(PowerOfTwoAbove, IsTheSmallestThatIsNotBelow) {
  EXPECT_EQ(power_of_two_above(0.25F), 0.25F);
  EXPECT_EQ(power_of_two_above(std::nextafter(0.25F, 1.0F)), 0.5F);
  EXPECT_EQ(power_of_two_above(3.0F), 4.0F);
  EXPECT_EQ(power_of_two_above(std::numeric_limits<float>::min()),
            std::numeric_limits<float>::min());
}

}  // namespace
}  // namespace ocs
