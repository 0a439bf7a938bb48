#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/round/round.h"
#include "round/correlated_layer.h"

namespace ocs {
namespace {

using correlated::error_on_drifted_inputs;
using correlated::Layer;
using correlated::output_error;

// The least error of all ways to send each weight up or down.
double least_error(const RoundProblem& problem) {
  const ChannelMatrix& weight = problem.weight;
  const std::int64_t side = weight.inputs;
  double sum = 0.0;
  for (std::int64_t row = 0; row < weight.outputs; ++row) {
    double least = std::numeric_limits<double>::infinity();
    const double scale = static_cast<double>(problem.scales[static_cast<std::size_t>(row)]);
    for (unsigned ups = 0; ups < 1U << static_cast<unsigned>(side); ++ups) {
      std::vector<double> error;
      for (std::int64_t j = 0; j < side; ++j) {
        const double real = static_cast<double>(weight.at(0, row, j, 0));
        const double level = std::floor(real / scale) + ((ups >> j) & 1U);
        error.push_back(level * scale - real);
      }
      double total = 0.0;
      for (std::int64_t i = 0; i < side; ++i)
        for (std::int64_t j = 0; j < side; ++j)
          total += error[static_cast<std::size_t>(i)] * error[static_cast<std::size_t>(j)] *
                   static_cast<double>(problem.energy[static_cast<std::size_t>(i * side + j)]);
      least = std::min(least, total);
    }
    sum += least;
  }
  return sum;
}

TEST(AdaroundRounding, ComesCloseToTheBestChoiceOfUpAndDown) {
  const Layer layer(3, 1, 40, 10, 1);
  RoundProblem problem = layer.problem();
  problem.highest = 127;  // nothing is clamped
  const double best = least_error(problem);
  const double nearest = output_error(problem, round_weights(NearestRounding{}, problem).stored);
  const double found = output_error(problem, round_weights(AdaroundRounding{}, problem).stored);
  EXPECT_GE(found, best * (1.0 - 1e-4));
  EXPECT_LT(found, best + 0.15 * (nearest - best));
}

TEST(AdaroundRounding, GoesToOneOfTheTwoLevelsBesideEachWeight) {
  const Layer layer(4, 3, 6, 8, 4);
  RoundProblem problem = layer.problem();
  problem.highest = 127;
  const std::vector<std::int16_t> stored = round_weights(AdaroundRounding{}, problem).stored;
  std::size_t others = 0;
  for_each_weight(problem.weight, [&](std::int64_t row, std::int64_t, std::size_t at) {
    const float real = layer.data[at] / layer.scales[static_cast<std::size_t>(row)];
    ASSERT_LT(std::fabs(real - static_cast<float>(stored[at])), 1.0F + 1e-4F);
    others += std::fabs(real - static_cast<float>(stored[at])) > 0.5F ? 1U : 0U;
  });
  EXPECT_GT(others, stored.size() / 20);
}

TEST(AdaroundRounding, MakesLessErrorInTheOutputThanNearest) {
  const Layer layer(5, 1, 64, 40, 3);
  const RoundProblem problem = layer.problem();
  EXPECT_LT(output_error(problem, round_weights(AdaroundRounding{}, problem).stored),
            0.5 * output_error(problem, round_weights(NearestRounding{}, problem).stored));
}

TEST(AdaroundRounding, MakesUpForDriftedInputs) {
  EXPECT_LT(error_on_drifted_inputs(AdaroundRounding{}, true),
            0.3 * error_on_drifted_inputs(AdaroundRounding{}, false));
}

TEST(AdaroundRounding, KeepsTheRangeOfCopies) {
  Layer layer(4, 1, 30, 12, 4);
  for (float& value : layer.data) value *= 2.0F;
  layer.copies.assign(12, 1);
  layer.copies[3] = 3;
  const std::vector<std::int16_t> stored =
      round_weights(AdaroundRounding{}, layer.problem()).stored;
  int largest = 0;
  for_each_weight(layer.weight, [&](std::int64_t, std::int64_t column, std::size_t at) {
    ASSERT_LE(std::abs(stored[at]), column == 3 ? 21 : 7);
    if (column == 3) largest = std::max(largest, std::abs(int{stored[at]}));
  });
  EXPECT_GT(largest, 7);
}

TEST(AdaroundRounding, GivesTheSameForAnyNumberOfThreads) {
  const Layer layer(6, 1, 300, 9, 1);
  const std::vector<std::int16_t> many = round_weights(AdaroundRounding{}, layer.problem()).stored;
  const ThreadLimit one_thread(1);
  EXPECT_EQ(round_weights(AdaroundRounding{}, layer.problem()).stored, many);
}

TEST(AdaroundRounding, TakesANumberOfIterations) {
  EXPECT_EQ(parse_rounding("adaround:refine,200"),
            Rounding(AdaroundRounding{.refine = true, .iterations = 200}));
  EXPECT_THROW((void)parse_rounding("adaround:0"), Error);
}

}  // namespace
}  // namespace ocs
