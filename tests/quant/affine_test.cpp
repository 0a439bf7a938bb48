#include "ocs/quant/affine.h"

#include <cmath>
#include <limits>
#include <vector>

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

TEST(Quantize, GivesTheSameForManyValuesAtOnce) {
  std::vector<float> reals{0.0F,  -0.0F,  std::numeric_limits<float>::denorm_min(),
                           1e30F, -1e30F, std::numeric_limits<float>::max()};
  for (int half_steps = -70'000; half_steps <= 70'000; ++half_steps)
    for (const float beside : {0.5F, std::nextafter(0.5F, 0.0F), std::nextafter(0.5F, 1.0F)})
      reals.push_back(static_cast<float>(half_steps) * beside);
  for (const float scale : {1.0F, 0.37F, 1e-30F, 3.0e5F})
    for (const std::int32_t highest : {1, 7, 127, 32767}) {
      std::vector<std::int16_t> levels(reals.size());
      quantize_all(reals, scale, highest, levels);
      for (std::size_t i = 0; i < reals.size(); ++i)
        ASSERT_EQ(levels[i], quantize(reals[i], scale, 0, -highest, highest))
            << reals[i] << ", scale " << scale;
    }
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
