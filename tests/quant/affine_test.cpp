#include "ocs/quant/affine.h"

#include <limits>

#include <gtest/gtest.h>

namespace ocs {
namespace {

constexpr Grid int8{.bits = 8};
constexpr Grid uint8{.bits = 8, .is_signed = false};

std::int32_t to(const Grid& grid, float real, float scale = 1.0F, std::int32_t zero_point = 0) {
  return quantize(real, scale, zero_point, grid.lowest(), grid.highest());
}

TEST(Grid, HasTheLevelsOfItsKind) {
  EXPECT_EQ(int8.lowest(), -127);
  EXPECT_EQ(int8.highest(), 127);
  EXPECT_EQ((Grid{.bits = 8, .symmetric = false}).lowest(), -128);
  EXPECT_EQ(uint8.lowest(), 0);
  EXPECT_EQ(uint8.highest(), 255);
  EXPECT_EQ((Grid{.bits = 2}).steps(), 1);
  EXPECT_EQ((Grid{.bits = 16, .is_signed = false}).steps(), 65535);
}

TEST(Quantize, RoundsTiesToEven) {
  EXPECT_EQ(to(int8, 0.5F), 0);
  EXPECT_EQ(to(int8, 1.5F), 2);
  EXPECT_EQ(to(int8, 2.5F), 2);
  EXPECT_EQ(to(int8, -0.5F), 0);
  EXPECT_EQ(to(int8, -1.5F), -2);
  EXPECT_EQ(to(uint8, 2.5F, 1.0F, 3), 5);  // rounded before the zero point is added
}

TEST(Quantize, SaturatesWithoutAnOutOfRangeCast) {
  const float huge = std::numeric_limits<float>::max();
  EXPECT_EQ(to(int8, huge, std::numeric_limits<float>::min()), 127);  // the quotient is infinite
  EXPECT_EQ(to(int8, -huge), -127);
  EXPECT_EQ(to(uint8, -1.0F), 0);
  EXPECT_EQ(to(uint8, huge, 1.0F, 128), 255);
}

TEST(Quantize, KeepsEveryLevelThatDequantizeGives) {
  for (const Grid& grid : {int8, uint8, Grid{.bits = 3}, Grid{.bits = 4, .symmetric = false},
                           Grid{.bits = 16}, Grid{.bits = 16, .is_signed = false}}) {
    const std::int32_t zero_point = grid.is_signed ? 0 : grid.highest() / 3;
    for (std::int32_t stored = grid.lowest(); stored <= grid.highest(); ++stored) {
      const float real = dequantize(stored, 0.037F, zero_point);
      ASSERT_EQ(to(grid, real, 0.037F, zero_point), stored);
    }
  }
}

}  // namespace
}  // namespace ocs
