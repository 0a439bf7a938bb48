#include "ocs/plan/avoid_saturation.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "ocs/quant/affine.h"

namespace ocs {
namespace {

ChannelMatrix matrix_of(const std::vector<float>& values, std::int64_t outputs, std::int64_t inputs,
                        std::int64_t taps) {
  return {.data = values,
          .outputs = outputs,
          .inputs = inputs,
          .taps = taps,
          .output_stride = inputs * taps,
          .input_stride = taps,
          .tap_stride = 1};
}

std::vector<std::int16_t> round_all(const SaturationProblem& problem,
                                    std::span<const float> scales) {
  std::vector<std::int16_t> stored(problem.weight.data.size());
  for_each_weight(problem.weight, [&](std::int64_t row, std::int64_t column, std::size_t at) {
    const int copies =
        problem.copies.empty() ? 1 : problem.copies[static_cast<std::size_t>(column)];
    stored[at] = static_cast<std::int16_t>(
        quantize(problem.weight.data[at],
                 scales.size() == 1 ? scales[0] : scales[static_cast<std::size_t>(row)], 0,
                 -copies * problem.highest, copies * problem.highest));
  });
  limit_pairs(problem, stored);
  return stored;
}

// Largest sum that the kernel makes of two products in 16 bits, all activations at their highest level.
std::int32_t worst_pair(const SaturationProblem& problem, std::span<const std::int16_t> stored) {
  const ChannelMatrix& weight = problem.weight;
  std::int32_t worst = 0;
  for (std::int64_t o = 0; o < weight.outputs; ++o)
    for (std::int64_t k = 0; k + 1 < weight.inputs * weight.taps; k += 2) {
      const auto at = [&](std::int64_t flat) {
        return stored[weight.index(0, o, flat % weight.inputs, flat / weight.inputs)];
      };
      const std::int32_t positive =
          std::max<std::int32_t>(at(k), 0) + std::max<std::int32_t>(at(k + 1), 0);
      const std::int32_t negative =
          std::min<std::int32_t>(at(k), 0) + std::min<std::int32_t>(at(k + 1), 0);
      worst =
          std::max({worst, positive * problem.highest_level, -negative * problem.highest_level});
    }
  return worst;
}

TEST(LimitPairs, LeavesNoPairThatSixteenBitsCannotHold) {
  const std::vector<float> values = Random(3).normals(32 * 16 * 9);
  const SaturationProblem problem{.weight = matrix_of(values, 32, 16, 9)};
  std::vector<float> scales(32);
  for (std::size_t row = 0; row < 32; ++row) {
    float most = 0.0F;
    for (std::size_t i = 0; i < 144; ++i) most = std::max(most, std::fabs(values[row * 144 + i]));
    scales[row] = most / 127.0F;
  }
  EXPECT_LE(worst_pair(problem, round_all(problem, scales)), 32767);
  const std::vector<float> raised = scales_against_saturation(problem, scales);
  EXPECT_LE(worst_pair(problem, round_all(problem, raised)), 32767);
}

// [2, 3, 1]: two matrices of three inputs each, of which the second begins with a pair of its own.
TEST(LimitPairs, BeginsAnewWithEachMatrixOfAStack) {
  const std::vector<float> values{0.0F, 0.0F, 127.0F, 127.0F, 127.0F, 0.0F};
  ChannelMatrix weight = matrix_of(values, 1, 3, 2);
  weight.input_stride = 1;
  weight.tap_stride = 3;
  SaturationProblem problem{.weight = weight, .across_taps = false};
  const std::vector<float> scale{1.0F};
  EXPECT_THAT(round_all(problem, scale), testing::ElementsAre(0, 0, 127, 64, 64, 0));
  problem.across_taps = true;
  EXPECT_THAT(round_all(problem, scale), testing::ElementsAre(0, 0, 64, 64, 127, 0));
}

TEST(ScalesAgainstSaturation, NeverErrMoreThanLimitingAlone) {
  const std::vector<float> values = Random(5).normals(8 * 12 * 9);
  const SaturationProblem problem{.weight = matrix_of(values, 8, 12, 9)};
  const std::vector<float> scales(8, 3.0F / 127.0F);
  const auto error = [&](std::span<const float> used) {
    const std::vector<std::int16_t> stored = round_all(problem, used);
    double sum = 0.0;
    for_each_weight(problem.weight, [&](std::int64_t row, std::int64_t, std::size_t at) {
      sum += std::pow(static_cast<double>(values[at]) -
                          static_cast<double>(used[static_cast<std::size_t>(row)]) * stored[at],
                      2.0);
    });
    return sum;
  };
  EXPECT_LE(error(scales_against_saturation(problem, scales)), error(scales));
}

// The search as it is defined, with no row left out: ten factors up to the one at which nothing is limited.
float searched_scale(const SaturationProblem& problem, float scale) {
  const std::span<const float> values = problem.weight.data;
  const std::int32_t limit = 32767 / problem.highest_level;
  const auto error_at = [&](float candidate, bool& limited) {
    std::vector<std::int32_t> levels;
    for (const float value : values)
      levels.push_back(quantize(value, candidate, 0, -problem.highest, problem.highest));
    for (std::size_t k = 0; k + 1 < levels.size(); k += 2) {
      std::int32_t& a = levels[k];
      std::int32_t& b = levels[k + 1];
      if ((a > 0) != (b > 0) || a == 0 || b == 0 || std::abs(a) + std::abs(b) <= limit) continue;
      const std::int32_t too_much = std::abs(a) + std::abs(b) - limit;
      const std::int32_t sign = a > 0 ? 1 : -1;
      a -= sign * (too_much / 2);
      b -= sign * (too_much - too_much / 2);
      limited = true;
    }
    double sum = 0.0;
    for (std::size_t k = 0; k < levels.size(); ++k)
      sum += std::pow(static_cast<double>(values[k]) - static_cast<double>(candidate) * levels[k],
                      2.0);
    return sum;
  };
  bool limited = false;
  double least = error_at(scale, limited);
  float best = scale;
  const double largest = 2.0 * problem.highest / static_cast<double>(limit) * 1.01;
  for (int step = 1; limited && step <= 10; ++step) {
    const float candidate = scale * static_cast<float>(std::pow(largest, step / 10.0));
    limited = false;
    const double error = error_at(candidate, limited);
    if (error < least) {
      least = error;
      best = candidate;
    }
  }
  return best;
}

TEST(ScalesAgainstSaturation, AreThoseOfTheWholeSearch) {
  Random random(11);
  std::size_t raised = 0;
  for (int row = 0; row < 300; ++row) {
    const std::vector<float> values = random.normals(4 + 2 * static_cast<std::size_t>(row % 20));
    float most = 0.0F;
    for (const float value : values) most = std::max(most, std::fabs(value));
    const SaturationProblem problem{
        .weight = matrix_of(values, 1, static_cast<std::int64_t>(values.size()), 1)};
    const std::vector<float> scales{most / 127.0F};
    const float expected = searched_scale(problem, scales[0]);
    EXPECT_EQ(scales_against_saturation(problem, scales)[0], expected) << row;
    raised += expected > scales[0] ? 1U : 0U;
  }
  EXPECT_GT(raised, 30U);  // some of each kind
  EXPECT_LT(raised, 270U);
}

TEST(ScalesAgainstSaturation, LeaveRowsThatCannotSaturate) {
  const std::vector<float> values{1.0F, -1.0F, 0.5F, 0.01F};
  const SaturationProblem problem{.weight = matrix_of(values, 1, 4, 1)};
  const std::vector<float> scales{1.0F / 127.0F};
  EXPECT_EQ(scales_against_saturation(problem, scales), scales);
}

TEST(CanSaturate, DependsOnBothGrids) {
  const std::vector<float> values(8, 1.0F);
  const ChannelMatrix weight = matrix_of(values, 1, 8, 1);
  EXPECT_TRUE(can_saturate({.weight = weight}));
  EXPECT_FALSE(can_saturate({.weight = weight, .highest = 63}));
  EXPECT_FALSE(can_saturate({.weight = weight, .highest_level = 127}));
  EXPECT_FALSE(can_saturate({.weight = matrix_of(values, 8, 1, 1)}));
}

TEST(CanSaturate, LeavesOutOnlyDepthwiseOfOneOutputForEachInput) {
  const std::vector<float> values(2 * 2 * 9, 1.0F);
  EXPECT_FALSE(can_saturate({.weight = dense_view(values, 4, 1, 1, 9)}));
  EXPECT_TRUE(can_saturate({.weight = dense_view(values, 2, 2, 1, 9)}));
  EXPECT_FALSE(can_saturate({.weight = dense_view(values, 2, 2, 1, 9), .across_taps = false}));
}

// The parts of one row and tap that lie on one side of zero, as magnitudes.
std::vector<int> parts_of(const SaturationProblem& problem, std::span<const std::int16_t> stored,
                          std::int64_t row, std::int64_t tap, int sign) {
  std::vector<int> parts;
  for (std::int64_t i = 0; i < problem.weight.inputs; ++i) {
    const int copies = problem.copies[static_cast<std::size_t>(i)];
    const int q = sign * stored[problem.weight.index(0, row, i, tap)];
    if (q > 0)
      parts.insert(parts.end(), static_cast<std::size_t>(copies), (q + copies - 1) / copies);
  }
  return parts;
}

void expect_any_two_fit(std::vector<int> parts) {
  std::ranges::sort(parts, std::greater{});
  if (parts.size() > 1) {
    EXPECT_LE(parts[0] + parts[1], 128);
  }
}

// The last input of a tap and the first of the next are neighbours then.
TEST(LimitPairs, HoldsAcrossTapsWhereCopiesMakeTheInputsOdd) {
  const std::vector<float> values = Random(9).normals(4 * 4 * 3);
  const std::vector<int> copies{1, 2, 1, 1};
  const SaturationProblem problem{.weight = matrix_of(values, 4, 4, 3), .copies = copies};
  const std::vector<std::int16_t> stored = round_all(problem, std::vector<float>{0.008F});
  for (std::int64_t row = 0; row < 4; ++row)
    for (const int sign : {1, -1}) {
      std::vector<int> parts;
      for (std::int64_t tap = 0; tap < 3; ++tap)
        std::ranges::copy(parts_of(problem, stored, row, tap, sign), std::back_inserter(parts));
      expect_any_two_fit(parts);
    }
}

TEST(LimitPairs, HoldsForAnyOrderOfTheCopiesOfASplitLayer) {
  const std::vector<float> values = Random(8).normals(4 * 6);
  const std::vector<int> copies{1, 2, 1, 3, 1, 1};
  const SaturationProblem problem{.weight = matrix_of(values, 4, 6, 1), .copies = copies};
  const std::vector<std::int16_t> stored = round_all(problem, std::vector<float>{0.004F});
  for (std::int64_t row = 0; row < 4; ++row)
    for (const int sign : {1, -1}) expect_any_two_fit(parts_of(problem, stored, row, 0, sign));
}

}  // namespace
}  // namespace ocs
