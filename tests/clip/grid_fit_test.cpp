#include "ocs/clip/grid_fit.h"

#include <cmath>

#include <gtest/gtest.h>

#include "ocs/quant/affine.h"
#include "support/distributions.h"

namespace ocs {
namespace {

constexpr LevelRange int8{.lowest = -127, .highest = 127};

TEST(GridFit, HasTheSameBitsAsThePlainLoop) {
  for (const std::size_t size : {0U, 1U, 3U, 4U, 15U, 16U, 17U, 1023U, 1024U, 1025U, 5000U}) {
    const std::vector<float> values = sample(Distribution::heavy, size + 1, size);
    const std::span<const float> some = std::span(values).first(size);
    std::vector<float> counts;
    for (std::size_t i = 0; i < size; ++i) counts.push_back(static_cast<float>(1 + i % 7));
    for (const float step : {0.01F, 0.37F, 3.0F}) {
      for (const LevelRange levels : {int8, LevelRange{-1, 1}, LevelRange{0, 255},
                                      LevelRange{-3, 12}, LevelRange{-32767, 32767}}) {
        EXPECT_EQ(grid_fit(some, {}, step, levels), plain_grid_fit(some, {}, step, levels));
        EXPECT_EQ(grid_fit(some, counts, step, levels), plain_grid_fit(some, counts, step, levels));
      }
    }
  }
}

TEST(GridFit, AddsUpErrorsAndLevels) {
  const std::vector<float> values{0.5F, 2.5F, -1.25F};  // at step 0.5: 1, 5 (clipped to 4), -2.5
  const GridFit fit = grid_fit(values, {}, 0.5F, {.lowest = -4, .highest = 4});
  EXPECT_EQ(fit.error, 0.0 + 1.0 + 0.25);
  EXPECT_EQ(fit.cross, 1.0 + 20.0 + 5.0);
  EXPECT_EQ(fit.square, 1.0 + 16.0 + 4.0);
}

TEST(GridFit, CountsAreRepetitions) {
  const std::vector<float> values{0.3F, -1.7F};
  const std::vector<float> counts{2, 3};
  const std::vector<float> repeated{0.3F, 0.3F, -1.7F, -1.7F, -1.7F};
  const GridFit counted = grid_fit(values, counts, 0.4F, int8);
  const GridFit plain = grid_fit(repeated, {}, 0.4F, int8);
  EXPECT_FLOAT_EQ(static_cast<float>(counted.error), static_cast<float>(plain.error));
  EXPECT_FLOAT_EQ(static_cast<float>(counted.cross), static_cast<float>(plain.cross));
}

// float positions are exact to 2^-24 of their size, 127 at most, against misses of about 0.3.
TEST(RoundingError, IsThatOfQuantizeAndDequantize) {
  const std::vector<float> values = sample(Distribution::normal, 3000, 1);
  for (const int bits : {2, 4, 8}) {
    const Grid grid{.bits = bits};
    const float a = 2.5F;
    const float scale = a / static_cast<float>(grid.steps());
    double expected = 0.0;
    for (const float v : values) {
      const std::int32_t stored = quantize(v, scale, 0, grid.lowest(), grid.highest());
      expected += std::pow(static_cast<double>(v - dequantize(stored, scale, 0)), 2);
    }
    EXPECT_NEAR(rounding_error(clip_input(values, grid), a) / expected, 1.0, 1e-4) << bits;
  }
}

TEST(RoundingError, OfARangeRoundsTheZeroPoint) {
  const std::vector<float> values = sample(Distribution::normal, 3000, 2);
  const ClipRange range{.low = -1.03F, .high = 2.9F};
  const Grid grid{.bits = 4, .is_signed = false};
  const float scale = (range.high - range.low) / 15.0F;
  const auto zero_point = static_cast<std::int32_t>(std::nearbyint(-range.low / scale));
  double expected = 0.0;
  for (const float v : values) {
    const std::int32_t stored = quantize(v, scale, zero_point, 0, 15);
    expected += std::pow(static_cast<double>(v - dequantize(stored, scale, zero_point)), 2);
  }
  EXPECT_NEAR(rounding_error(clip_input(values, grid), range) / expected, 1.0, 1e-4);
}

}  // namespace
}  // namespace ocs
