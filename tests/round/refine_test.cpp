#include "ocs/round/refine.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <Eigen/Dense>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/core/random.h"

namespace ocs {
namespace {

using Matrix = Eigen::MatrixXd;

constexpr Eigen::Index rows = 6;
constexpr Eigen::Index inputs = 5;
constexpr Eigen::Index taps = 2;
constexpr Eigen::Index side = inputs * taps;
constexpr Eigen::Index samples = 200;

// A layer on correlated data: W x in the float model, its input y in the rounded one.
struct Layer {
  Matrix x{samples, side};
  Matrix y{samples, side};
  std::vector<float> data{};
  std::vector<float> scales{};
  std::vector<float> energy{};
  std::vector<float> drift{};
  std::vector<int> copies{};

  explicit Layer(std::uint64_t seed, double moved = 0.0) : data(Random(seed).normals(rows * side)) {
    Random random(seed + 1);
    for (Eigen::Index n = 0; n < samples; ++n) {
      const double common = random.normal();
      for (Eigen::Index j = 0; j < side; ++j) {
        x(n, j) = common + random.normal();
        y(n, j) = x(n, j) + moved * random.normal();
      }
    }
    const Matrix moments = y.transpose() * y;
    const Matrix difference = (x - y).transpose() * y;
    for (Eigen::Index i = 0; i < side; ++i) {
      for (Eigen::Index j = 0; j < side; ++j) {
        energy.push_back(static_cast<float>(moments(i, j)));
        if (moved != 0.0) drift.push_back(static_cast<float>(difference(i, j)));
      }
    }
    for (Eigen::Index row = 0; row < rows; ++row)
      scales.push_back(0.4F + 0.02F * static_cast<float>(row));
  }

  [[nodiscard]] RoundProblem problem(bool fits_scales = false) const {
    return {.weight = {.data = data,
                       .outputs = rows,
                       .inputs = inputs,
                       .taps = taps,
                       .output_stride = side,
                       .input_stride = taps},
            .scales = scales,
            .copies = copies,
            .highest = 7,
            .energy = energy,
            .drift = drift,
            .fits_scales = fits_scales};
  }

  // |W x - Q y|^2 over the samples and what damping adds, by definition: 1% of the mean second moment for each squared error of a weight.
  [[nodiscard]] double error(const std::vector<std::int16_t>& stored,
                             const std::vector<float>& at_scales, Eigen::Index row) const {
    Eigen::VectorXd w(side);
    Eigen::VectorXd q(side);
    for (Eigen::Index j = 0; j < side; ++j) {
      const auto at = static_cast<std::size_t>(row * side + j);
      w[j] = static_cast<double>(data[at]);
      q[j] = static_cast<double>(at_scales[static_cast<std::size_t>(row)]) * stored[at];
    }
    const double damp = 0.01 * y.squaredNorm() / static_cast<double>(side);
    return (x * w - y * q).squaredNorm() + damp * (w - q).squaredNorm();
  }
};

TEST(Refine, LeavesNoSingleIntegerThatCouldBeBetter) {
  for (const double moved : {0.0, 0.3}) {
    const Layer layer(1, moved);
    const RoundProblem problem = layer.problem();
    const Rounded refined = refine(problem, round_weights(NearestRounding{}, problem));
    EXPECT_EQ(refined.scales, layer.scales);
    for (Eigen::Index row = 0; row < rows; ++row) {
      const double found = layer.error(refined.stored, refined.scales, row);
      for (std::size_t j = 0; j < side; ++j) {
        std::vector<std::int16_t> other = refined.stored;
        std::int16_t& level = other[static_cast<std::size_t>(row) * side + j];
        for (level = -7; level <= 7; ++level)
          EXPECT_GE(layer.error(other, refined.scales, row), found * (1.0 - 1e-4));
      }
    }
  }
}

TEST(Refine, GivesEachRowTheScaleThatFitsItsIntegers) {
  for (const double moved : {0.0, 0.3}) {
    const Layer layer(2, moved);
    const Rounded nearest = round_weights(NearestRounding{}, layer.problem());
    const Rounded fixed = refine(layer.problem(), nearest);
    const Rounded fitted = refine(layer.problem(true), nearest);
    double sum_fixed = 0.0;
    double sum_fitted = 0.0;
    for (Eigen::Index row = 0; row < rows; ++row) {
      const double found = layer.error(fitted.stored, fitted.scales, row);
      EXPECT_LE(found, layer.error(nearest.stored, layer.scales, row));
      sum_fixed += layer.error(fixed.stored, fixed.scales, row);
      sum_fitted += found;
      for (const float factor : {0.98F, 1.02F}) {
        std::vector<float> other = fitted.scales;
        other[static_cast<std::size_t>(row)] *= factor;
        EXPECT_GT(layer.error(fitted.stored, other, row), found);
      }
    }
    EXPECT_LT(sum_fitted, sum_fixed);
  }
}

TEST(Refine, ImprovesOnGptq) {
  double before = 0.0;
  double after = 0.0;
  for (std::uint64_t seed = 10; seed < 20; ++seed) {
    const Layer layer(seed);
    const Rounded gptq = round_weights(GptqRounding{}, layer.problem());
    const Rounded refined = refine(layer.problem(true), gptq);
    for (Eigen::Index row = 0; row < rows; ++row) {
      before += layer.error(gptq.stored, gptq.scales, row);
      after += layer.error(refined.stored, refined.scales, row);
    }
  }
  EXPECT_LT(after, 0.95 * before);
}

TEST(Refine, KeepsTheRangeOfCopies) {
  Layer layer(3);
  for (float& value : layer.data) value *= 3.0F;
  layer.copies = {1, 1, 3, 1, 1};
  const RoundProblem problem = layer.problem();
  const Rounded refined = refine(problem, round_weights(GptqRounding{}, problem));
  int largest = 0;
  for_each_weight(problem.weight, [&](std::int64_t, std::int64_t column, std::size_t at) {
    ASSERT_LE(std::abs(refined.stored[at]), column == 2 ? 21 : 7);
    if (column == 2) largest = std::max(largest, std::abs(int{refined.stored[at]}));
  });
  EXPECT_GT(largest, 7);
}

TEST(Refine, LeavesWhatItKnowsNothingOf) {
  Layer layer(4);
  const Rounded nearest = round_weights(NearestRounding{}, layer.problem());
  std::ranges::fill(layer.energy, 0.0F);
  EXPECT_EQ(refine(layer.problem(true), nearest).stored, nearest.stored);
  EXPECT_EQ(refine(layer.problem(true), nearest).scales, layer.scales);
  layer.energy.clear();
  EXPECT_EQ(refine(layer.problem(true), nearest).stored, nearest.stored);
  EXPECT_THROW(static_cast<void>(refine(layer.problem(), {.stored = {1, 2, 3}})), Error);
  layer.scales.resize(1);
  EXPECT_THROW(static_cast<void>(refine(layer.problem(true), nearest)), Error);
}

TEST(Refine, GivesTheSameForAnyNumberOfThreads) {
  const Layer layer(6);
  const Rounded nearest = round_weights(NearestRounding{}, layer.problem());
  const Rounded many = refine(layer.problem(true), nearest);
  const ThreadLimit one_thread(1);
  const Rounded one = refine(layer.problem(true), nearest);
  EXPECT_EQ(one.stored, many.stored);
  EXPECT_EQ(one.scales, many.scales);
}

TEST(GptqRounding, IsRefinedWhereAsked) {
  const Layer layer(7, 0.3);
  const Rounded found = round_weights(GptqRounding{.refine = true}, layer.problem(true));
  const Rounded expected =
      refine(layer.problem(true), round_weights(GptqRounding{}, layer.problem()));
  EXPECT_EQ(found.stored, expected.stored);
  EXPECT_EQ(found.scales, expected.scales);
  EXPECT_NE(found.scales, layer.scales);
}

}  // namespace
}  // namespace ocs
