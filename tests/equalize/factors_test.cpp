#include "ocs/equalize/factors.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

constexpr double no_limit = 1e6;

// Weights that outlive the problem that looks at them.
struct Network {
  std::vector<std::vector<float>> values{};
  EqualizationProblem problem{};
};

// image -> 3x3 -> 4 channels (a) -> depthwise -> 4 channels (b) -> 2 outputs; factors 0..3 of a, 4..7 of
// b, 8 of what keeps its scale.
Network chain(bool has_row_scales, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const auto fill = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
  };
  const auto energies = [&](std::size_t count) {
    std::vector<double> values(count);
    for (double& value : values) value = 0.1 + static_cast<double>(std::abs(normal(random)));
    return values;
  };
  Network network{.values = {fill(4 * 3 * 9), fill(4 * 9), fill(2 * 4)}};
  const std::vector<int> a{0, 1, 2, 3};
  const std::vector<int> b{4, 5, 6, 7};
  const std::vector<int> outputs{8, 8};
  network.problem = {.smallest = std::vector<double>(9, 1.0 / no_limit),
                     .largest = std::vector<double>(9, no_limit),
                     .importance = energies(9),
                     .weights = {{.matrix = dense_view(network.values[0], 1, 4, 3, 9),
                                  .rows = a,
                                  .input_energy = energies(3),
                                  .levels = 127.0},
                                 {.matrix = dense_view(network.values[1], 4, 1, 1, 9),
                                  .rows = b,
                                  .columns = a,
                                  .input_energy = energies(4),
                                  .levels = 127.0},
                                 {.matrix = dense_view(network.values[2], 1, 2, 4, 1),
                                  .rows = outputs,
                                  .columns = b,
                                  .input_energy = energies(4),
                                  .levels = 7.0}},
                     .data = {{.channels = a, .magnitudes = energies(4)},
                              {.channels = b, .magnitudes = energies(4), .levels = 127.5}}};
  for (EqualizedWeights& weights : network.problem.weights) weights.has_row_scales = has_row_scales;
  network.problem.smallest[8] = network.problem.largest[8] = 1.0;
  return network;
}

// The formula of the header, term by term.
double slow_noise(const EqualizationProblem& problem, const std::vector<double>& factors) {
  const auto factor = [&](int number) { return factors[static_cast<std::size_t>(number)]; };
  const auto importance = [&](int number) {
    return problem.importance[static_cast<std::size_t>(number)];
  };
  double noise = 0.0;
  for (const EqualizedWeights& weights : problem.weights) {
    const ChannelMatrix& matrix = weights.matrix;
    const auto column_factor = [&](std::int64_t column) {
      return weights.columns.empty() ? 1.0
                                     : factor(weights.columns[static_cast<std::size_t>(column)]);
    };
    const auto row_norm = [&](std::int64_t row) {  // to the fourth
      double sum = 0.0;
      for (std::int64_t i = 0; i < matrix.inputs; ++i) {
        double largest = 0.0;
        for (std::int64_t k = 0; k < matrix.taps; ++k)
          largest = std::max(largest, std::abs(static_cast<double>(matrix.at(
                                          row / matrix.outputs, row % matrix.outputs, i, k))));
        const std::int64_t column = row / matrix.outputs * matrix.inputs + i;
        sum += std::pow(
            factor(weights.rows[static_cast<std::size_t>(row)]) * largest / column_factor(column),
            4);
      }
      return sum;
    };
    double all_rows = 0.0;
    for (std::int64_t row = 0; row < matrix.rows(); ++row) all_rows += row_norm(row);
    for (std::int64_t row = 0; row < matrix.rows(); ++row) {
      const double norm = weights.has_row_scales ? row_norm(row) : all_rows;
      const double step = std::pow(norm, 0.25) / weights.levels;
      const int number = weights.rows[static_cast<std::size_t>(row)];
      for (std::int64_t i = 0; i < matrix.inputs; ++i) {
        const std::int64_t column = row / matrix.outputs * matrix.inputs + i;
        noise += step * step / 12.0 * importance(number) / std::pow(factor(number), 2) *
                 static_cast<double>(matrix.taps) *
                 weights.input_energy[static_cast<std::size_t>(column)] *
                 std::pow(column_factor(column), 2);
      }
    }
  }
  for (const EqualizedData& data : problem.data) {
    double norm = 0.0;
    for (std::size_t c = 0; c < data.channels.size(); ++c)
      norm += std::pow(data.magnitudes[c] * factor(data.channels[c]), 8);
    const double step = std::pow(norm, 0.125) / data.levels;
    for (const int channel : data.channels)
      noise += step * step / 12.0 * importance(channel) / std::pow(factor(channel), 2);
  }
  return noise;
}

class Equalize : public testing::TestWithParam<bool> {};

TEST_P(Equalize, TellsTheNoiseOfTheFormula) {
  const Network network = chain(GetParam(), 1);
  const Equalization found = equalize(network.problem);
  const double before = slow_noise(network.problem, std::vector<double>(9, 1.0));
  const double after = slow_noise(network.problem, found.factors);
  constexpr double rounding = 1e-5;  // magnitudes are held as floats
  EXPECT_NEAR(found.noise_before, before, rounding * before);
  EXPECT_NEAR(found.noise_after, after, rounding * after);
  EXPECT_LT(after, 0.9 * before);
}

// The noise is convex in the logarithms: where no step in any direction helps is the minimum.
TEST_P(Equalize, LeavesNothingToGain) {
  const Network network = chain(GetParam(), 2);
  const Equalization found = equalize(network.problem);
  EXPECT_LT(found.rounds, 300);
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (const double size : {0.02, 0.1, 0.5}) {
    for (int i = 0; i < 200; ++i) {
      std::vector<double> other = found.factors;
      for (std::size_t c = 0; c < 8; ++c) other[c] *= std::exp(size * normal(random));
      EXPECT_GT(slow_noise(network.problem, other), found.noise_after * (1.0 - 1e-4));
    }
  }
}

// Whatever scales the network comes with, it ends at the same ones (where nothing limits the factors).
TEST_P(Equalize, UndoesAnyScalingOfTheChannels) {
  const Network network = chain(GetParam(), 4);
  const Equalization direct = equalize(network.problem);
  Network scaled = chain(GetParam(), 4);
  const std::vector<double> given{3.0, 0.5, 11.0, 1.0, 0.03, 2.0, 7.0, 0.9, 1.0};
  for (std::size_t layer = 0; layer < 3; ++layer) {
    EqualizedWeights& weights = scaled.problem.weights[layer];
    std::vector<float>& values = scaled.values[layer];
    for_each_weight(weights.matrix, [&](std::int64_t row, std::int64_t column, std::size_t at) {
      double factor = given[static_cast<std::size_t>(weights.rows[static_cast<std::size_t>(row)])];
      if (!weights.columns.empty())
        factor /=
            given[static_cast<std::size_t>(weights.columns[static_cast<std::size_t>(column)])];
      values[at] = static_cast<float>(static_cast<double>(values[at]) * factor);
    });
    for (std::size_t c = 0; c < weights.columns.size(); ++c)
      weights.input_energy[c] *= std::pow(given[static_cast<std::size_t>(weights.columns[c])], 2);
  }
  for (EqualizedData& data : scaled.problem.data)
    for (std::size_t c = 0; c < data.channels.size(); ++c)
      data.magnitudes[c] *= given[static_cast<std::size_t>(data.channels[c])];
  for (std::size_t i = 0; i < given.size(); ++i)
    scaled.problem.importance[i] /= given[i] * given[i];
  const Equalization found = equalize(scaled.problem);
  EXPECT_NEAR(found.noise_after, direct.noise_after, 1e-4 * direct.noise_after);
  // A common factor of all channels of a value changes nothing: only ratios are compared.
  const auto relation = [&](std::size_t i) {
    return found.factors[i] * given[i] / direct.factors[i];
  };
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(std::log(relation(i) / relation(i / 4 * 4)), 0.0, 0.05) << i;
}

INSTANTIATE_TEST_SUITE_P(Scales, Equalize, testing::Bool(), [](const auto& instance) {
  return instance.param ? "OfRows" : "OfTensors";
});

TEST(EqualizeFactors, FillTheGridOfActivationsAlone) {
  // d/dt: (m t)^8 is in proportion to q / t^2, so that t^10 m^8 / q is the same everywhere.
  const EqualizationProblem problem{
      .smallest = {1e-6, 1e-6, 1e-6},
      .largest = {1e6, 1e6, 1e6},
      .importance = {1.0, 1.0, 5.0},
      .data = {{.channels = {0, 1, 2}, .magnitudes = {6.0, 0.25, 0.25}}}};
  const std::vector<double> t = equalize(problem).factors;
  EXPECT_NEAR(t[1] / t[0], std::pow(24.0, 0.8), 0.1);
  EXPECT_NEAR(t[2] / t[1], std::pow(5.0, 0.1), 0.01);
}

TEST(EqualizeFactors, StayInsideTheirLimits) {
  Network network = chain(false, 5);
  const std::vector<double> free = equalize(network.problem).factors;
  for (std::size_t c = 0; c < 4; ++c) network.problem.largest[c] = 1.0;
  network.problem.smallest[6] = network.problem.largest[6] = 1.0;
  const std::vector<double> found = equalize(network.problem).factors;
  EXPECT_NE(free[6], 1.0);
  EXPECT_EQ(found[6], 1.0);
  EXPECT_EQ(found[8], 1.0);
  for (std::size_t c = 0; c < 4; ++c) EXPECT_LE(found[c], 1.0);
}

TEST(EqualizeFactors, LeaveDeadChannelsAlone) {
  Network network = chain(false, 6);
  for (std::size_t i = 0; i < 27; ++i) network.values[0][i] = 0.0F;  // row 0
  for (std::size_t i = 0; i < 9; ++i) network.values[1][i] = 0.0F;   // and what reads it
  network.problem.data[0].magnitudes[0] = 0.0;
  network.problem.importance[0] = 0.0;
  const Equalization found = equalize(network.problem);
  for (const double factor : found.factors) EXPECT_TRUE(std::isfinite(factor) && factor > 0.0);
  EXPECT_EQ(equalize({}).factors.size(), 0U);
}

}  // namespace
}  // namespace ocs
