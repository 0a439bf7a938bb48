#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <Eigen/Dense>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/quant/scale_index.h"
#include "ocs/round/round.h"
#include "round/correlated_layer.h"

namespace ocs {
namespace {

using correlated::error_on_drifted_inputs;
using correlated::Layer;
using correlated::Matrix;
using correlated::output_error;

// As Frantar et al. state it: the column that is fixed next, the inverse of H over the columns that
// are left, their optimal update; no factorization, nothing ordered in place.
std::vector<std::int16_t> slow_gptq(const RoundProblem& problem) {
  const ChannelMatrix& weight = problem.weight;
  const Eigen::Index side = weight.inputs * weight.taps;
  std::vector<std::int16_t> stored(weight.data.size());
  for (std::int64_t g = 0; g < weight.groups; ++g) {
    Matrix h(side, side);
    for (Eigen::Index i = 0; i < side; ++i)
      for (Eigen::Index j = 0; j < side; ++j)
        h(i, j) = static_cast<double>(
            problem.energy[static_cast<std::size_t>((g * side + i) * side + j)]);
    std::vector<Eigen::Index> left(static_cast<std::size_t>(side));
    std::iota(left.begin(), left.end(), 0);
    std::ranges::stable_sort(left, {}, [&](Eigen::Index i) { return h(i, i); });
    h.diagonal().array() += 0.01 * h.diagonal().mean();
    Matrix real(weight.outputs, side);
    for (Eigen::Index o = 0; o < weight.outputs; ++o)
      for (Eigen::Index j = 0; j < side; ++j)
        real(o, j) = static_cast<double>(weight.at(g, o, j / weight.taps, j % weight.taps));
    while (!left.empty()) {
      const Matrix inverse = h(left, left).inverse();
      const auto last = static_cast<Eigen::Index>(left.size()) - 1;
      const Eigen::Index column = left.back();
      const int copies =
          problem.copies.empty()
              ? 1
              : problem.copies[static_cast<std::size_t>(g * weight.inputs + column / weight.taps)];
      const double limit = copies * problem.highest;
      for (Eigen::Index o = 0; o < weight.outputs; ++o) {
        const auto scale = static_cast<double>(
            problem.scales[ScaleIndex(weight, problem.scales.size(), problem.block)(
                g * weight.outputs + o, g * weight.inputs + column / weight.taps)]);
        const double level = std::nearbyint(std::clamp(real(o, column) / scale, -limit, limit));
        const double error = (real(o, column) - level * scale) / inverse(last, last);
        for (Eigen::Index i = 0; i < last; ++i)
          real(o, left[static_cast<std::size_t>(i)]) -= error * inverse(last, i);
        stored[weight.index(g, o, column / weight.taps, column % weight.taps)] =
            static_cast<std::int16_t>(level);
      }
      left.pop_back();
    }
  }
  return stored;
}

// Float against double: a weight whose target lies next to the middle between two levels may go the
// other way, and take the rest of its row with it.
void expect_nearly_equal(const RoundProblem& problem) {
  const std::vector<std::int16_t> found = round_weights(GptqRounding{}, problem).stored;
  const std::vector<std::int16_t> expected = slow_gptq(problem);
  std::size_t same = 0;
  for (std::size_t i = 0; i < found.size(); ++i) same += found[i] == expected[i] ? 1U : 0U;
  EXPECT_GE(same, found.size() * 98 / 100);
  EXPECT_NEAR(output_error(problem, found) / output_error(problem, expected), 1.0, 0.01);
}

// Whatever the others lose, the exact channels make up for as well as channels can: no change of theirs lessens the error, so its
// derivative by each of them is 0.
TEST(GptqRounding, LetsExactChannelsMakeUpForAllOthers) {
  const Layer layer(5, 1, 12, 40, 1);
  RoundProblem problem = layer.problem();
  const std::vector<std::int64_t> exact{2, 3, 17, 39};
  problem.exact = exact;
  const Rounded rounded = round_weights(GptqRounding{}, problem);
  ASSERT_EQ(rounded.left.size(), 12U * exact.size());
  double mean = 0.0;
  const auto h = [&](std::size_t i, std::size_t j) {
    return static_cast<double>(problem.energy[i * 40 + j]) + (i == j ? 0.01 * mean : 0.0);
  };
  for (std::size_t i = 0; i < 40; ++i) mean += static_cast<double>(problem.energy[i * 41]) / 40.0;
  for (std::size_t row = 0; row < 12; ++row) {
    std::vector<double> errors;
    for (std::size_t c = 0; c < 40; ++c) {
      const std::size_t at =
          problem.weight.index(0, static_cast<std::int64_t>(row), static_cast<std::int64_t>(c), 0);
      errors.push_back(
          static_cast<double>(static_cast<float>(rounded.stored[at]) * problem.scales[row]) -
          static_cast<double>(layer.data[at]));
    }
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const auto c = static_cast<std::size_t>(exact[i]);
      errors[c] += static_cast<double>(rounded.left[row * exact.size() + i]);
    }
    for (const std::int64_t channel : exact) {
      const auto c = static_cast<std::size_t>(channel);
      double slope = 0.0;
      double size = 0.0;
      for (std::size_t j = 0; j < 40; ++j) {
        slope += h(c, j) * errors[j];
        size += std::fabs(h(c, j) * errors[j]);
      }
      EXPECT_NEAR(slope / size, 0.0, 1e-4) << row << ", " << channel;
    }
  }
}

// d^T H d of a weight that is held in two parts; `made_up_for`: whether the second knows of what the first leaves, column by column.
double error_in_two_parts(RoundProblem problem, std::span<const std::int64_t> exact,
                          bool made_up_for) {
  problem.exact = exact;
  Rounded rounded = round_weights(GptqRounding{}, problem);
  const auto rows = static_cast<std::size_t>(problem.weight.rows());
  std::vector<float> scales;
  for (std::size_t row = 0; row < rows; ++row) {
    float largest = 0.0F;
    for (std::size_t i = 0; i < exact.size(); ++i)
      largest = std::max(largest, std::fabs(rounded.left[row * exact.size() + i]));
    scales.push_back(largest / static_cast<float>(problem.highest));
  }
  std::vector<float> beside(rows * exact.size());
  for (std::size_t i = 0; i < beside.size(); ++i) {
    const float scale = scales[i / exact.size()];
    beside[i] = std::nearbyint(rounded.left[i] / scale) * scale;
  }
  if (made_up_for) {
    problem.exact_scales = scales;
    rounded = round_weights(GptqRounding{}, problem);
    for (std::size_t i = 0; i < beside.size(); ++i)
      beside[i] = static_cast<float>(rounded.residual[i]) * scales[i / exact.size()];
  }
  // As if the weights were less by what is held beside them.
  std::vector<float> rest(problem.weight.data.begin(), problem.weight.data.end());
  for (std::size_t i = 0; i < beside.size(); ++i)
    rest[problem.weight.index(0, static_cast<std::int64_t>(i / exact.size()),
                              exact[i % exact.size()], 0)] -= beside[i];
  problem.weight.data = rest;
  return output_error(problem, rounded.stored);
}

TEST(GptqRounding, LosesLessWithPartOfItHeldTwice) {
  const Layer layer(5, 1, 24, 40, 1);
  std::vector<std::int64_t> exact(8);
  std::iota(exact.begin(), exact.end(), 4);
  for (const std::int32_t highest : {3, 7}) {
    SCOPED_TRACE(highest);
    RoundProblem problem = layer.problem();
    problem.highest = highest;
    std::vector<float> scales;
    for (std::int64_t row = 0; row < 24; ++row) {
      float largest = 0.0F;
      for (std::int64_t c = 0; c < 40; ++c)
        largest = std::max(largest, std::fabs(layer.weight.at(0, row, c, 0)));
      scales.push_back(largest / static_cast<float>(highest));
    }
    problem.scales = scales;
    const double once = output_error(problem, round_weights(GptqRounding{}, problem).stored);
    const double twice = error_in_two_parts(problem, exact, true);
    EXPECT_LT(twice, once);
    EXPECT_LT(twice, error_in_two_parts(problem, exact, false));
  }
}

TEST(GptqRounding, RefusesExactChannelsThatAreNotThere) {
  const Layer layer(5, 1, 4, 8, 1);
  RoundProblem problem = layer.problem();
  const std::vector<std::int64_t> beyond{8};
  problem.exact = beyond;
  EXPECT_THROW((void)round_weights(GptqRounding{}, problem), Error);
}

TEST(GptqRounding, IsWhatThePaperStates) {
  expect_nearly_equal(Layer(1, 1, 20, 15, 1).problem());
  expect_nearly_equal(Layer(2, 1, 9, 20, 9).problem());  // more than one block of columns
  expect_nearly_equal(Layer(3, 4, 3, 5, 4).problem());
}

TEST(GptqRounding, UsesTheScaleOfEachBlock) {
  Layer layer(8, 1, 12, 20, 1);
  layer.scales.clear();
  for (int at = 0; at < 12 * 3; ++at)  // blocks of 8, 8 and 4 inputs
    layer.scales.push_back(0.2F + 0.05F * static_cast<float>(at % 7));
  RoundProblem problem = layer.problem();
  problem.block = 8;
  const std::vector<std::int16_t> found = round_weights(GptqRounding{}, problem).stored;
  const std::vector<std::int16_t> expected = slow_gptq(problem);
  std::size_t same = 0;
  for (std::size_t i = 0; i < found.size(); ++i) same += found[i] == expected[i] ? 1U : 0U;
  EXPECT_GE(same, found.size() * 98 / 100);
}

TEST(GptqRounding, KeepsTheRangeOfCopies) {
  Layer layer(4, 1, 30, 12, 4);
  for (float& value : layer.data) value *= 2.0F;
  layer.copies.assign(12, 1);
  layer.copies[3] = 3;
  expect_nearly_equal(layer.problem());
  const std::vector<std::int16_t> stored = round_weights(GptqRounding{}, layer.problem()).stored;
  int largest = 0;
  for_each_weight(layer.weight, [&](std::int64_t, std::int64_t column, std::size_t at) {
    ASSERT_LE(std::abs(stored[at]), column == 3 ? 21 : 7);
    if (column == 3) largest = std::max(largest, std::abs(int{stored[at]}));
  });
  EXPECT_GT(largest, 7);
}

TEST(GptqRounding, MakesLessErrorInTheOutputThanNearest) {
  const Layer layer(5, 1, 64, 40, 3);
  const RoundProblem problem = layer.problem();
  EXPECT_LT(output_error(problem, round_weights(GptqRounding{}, problem).stored),
            0.6 * output_error(problem, round_weights(NearestRounding{}, problem).stored));
}

TEST(GptqRounding, MakesUpForDriftedInputs) {
  EXPECT_LT(error_on_drifted_inputs(GptqRounding{}, true),
            0.3 * error_on_drifted_inputs(GptqRounding{}, false));
}

TEST(GptqRounding, RefusesDriftOfAnotherSize) {
  const Layer layer(9, 1, 4, 6, 1);
  RoundProblem problem = layer.problem();
  problem.drift = std::span(layer.energy).first(5);
  EXPECT_THROW(static_cast<void>(round_weights(GptqRounding{}, problem).stored), Error);
}

TEST(GptqRounding, IsNearestWhereInputsAreUncorrelatedOrUnknown) {
  Layer layer(6, 2, 10, 4, 3);
  const std::vector<std::int16_t> nearest =
      round_weights(NearestRounding{}, layer.problem()).stored;
  std::ranges::fill(layer.energy, 0.0F);
  EXPECT_EQ(round_weights(GptqRounding{}, layer.problem()).stored, nearest);
  layer.energy.assign(layer.energy.size(), 0.0F);
  for (std::size_t g = 0; g < 2; ++g)
    for (std::size_t i = 0; i < 12; ++i) layer.energy[g * 144 + i * 13] = 2.0F;
  EXPECT_EQ(round_weights(GptqRounding{}, layer.problem()).stored, nearest);
  layer.energy.clear();
  EXPECT_EQ(round_weights(GptqRounding{}, layer.problem()).stored, nearest);
}

// A channel that is always 0 makes H singular; one sample makes it nearly so.
TEST(GptqRounding, TakesSingularSecondMoments) {
  Layer layer(7, 1, 10, 20, 1, 1);
  for (std::size_t i = 0; i < 20; ++i) layer.energy[60 + i] = layer.energy[i * 20 + 3] = 0.0F;
  const RoundProblem problem = layer.problem();
  EXPECT_LT(output_error(problem, round_weights(GptqRounding{}, problem).stored),
            output_error(problem, round_weights(NearestRounding{}, problem).stored));
}

TEST(GptqRounding, GivesTheSameForAnyNumberOfThreadsAndLayout) {
  const Layer layer(8, 1, 200, 30, 1);
  const std::vector<std::int16_t> many = round_weights(GptqRounding{}, layer.problem()).stored;
  {
    const ThreadLimit one_thread(1);
    EXPECT_EQ(round_weights(GptqRounding{}, layer.problem()).stored, many);
  }
  std::vector<float> turned(layer.data.size());  // [inputs, outputs]
  for (std::size_t o = 0; o < 200; ++o)
    for (std::size_t i = 0; i < 30; ++i) turned[i * 200 + o] = layer.data[o * 30 + i];
  RoundProblem problem = layer.problem();
  problem.weight = {
      .data = turned, .outputs = 200, .inputs = 30, .output_stride = 1, .input_stride = 200};
  const std::vector<std::int16_t> stored = round_weights(GptqRounding{}, problem).stored;
  for (std::size_t o = 0; o < 200; ++o)
    for (std::size_t i = 0; i < 30; ++i) ASSERT_EQ(stored[i * 200 + o], many[o * 30 + i]);
}

TEST(GptqRounding, RefusesMomentsOfAnotherSize) {
  Layer layer(9, 1, 4, 3, 1);
  layer.energy.pop_back();
  EXPECT_THROW(static_cast<void>(round_weights(GptqRounding{}, layer.problem()).stored), Error);
}

}  // namespace
}  // namespace ocs
