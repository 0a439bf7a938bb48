// Layers on correlated inputs, and what rounding them costs.
#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Dense>

#include "ocs/core/random.h"
#include "ocs/round/round.h"

namespace ocs::correlated {

using Matrix = Eigen::MatrixXd;

// Second moments of `samples` correlated inputs, for each group.
inline std::vector<float> energy_of(std::uint64_t seed, std::int64_t groups, std::int64_t side,
                                    std::int64_t samples) {
  Random random(seed);
  std::vector<float> energy;
  for (std::int64_t g = 0; g < groups; ++g) {
    Matrix x(samples, side);
    for (Eigen::Index i = 0; i < samples; ++i) {
      const double common = random.normal();
      for (Eigen::Index j = 0; j < side; ++j)
        x(i, j) = (1.0 + 0.2 * static_cast<double>(j % 7)) * (common + random.normal());
    }
    const Matrix h = x.transpose() * x;
    for (Eigen::Index i = 0; i < side; ++i)
      for (Eigen::Index j = 0; j < side; ++j) energy.push_back(static_cast<float>(h(i, j)));
  }
  return energy;
}

struct Layer {
  std::vector<float> data{};
  std::vector<float> scales{};
  std::vector<float> energy{};
  std::vector<int> copies{};
  ChannelMatrix weight{};

  Layer(std::uint64_t seed, std::int64_t groups, std::int64_t outputs, std::int64_t inputs,
        std::int64_t taps, std::int64_t samples = 400)
      : data(Random(seed).normals(static_cast<std::size_t>(groups * outputs * inputs * taps))),
        energy(energy_of(seed + 1, groups, inputs * taps, samples)),
        weight(dense_view(data, groups, outputs, inputs, taps)) {
    for (std::int64_t row = 0; row < groups * outputs; ++row)
      scales.push_back(0.3F + 0.01F * static_cast<float>(row % 5));
  }

  [[nodiscard]] RoundProblem problem() const {
    return {.weight = weight, .scales = scales, .copies = copies, .highest = 7, .energy = energy};
  }
};

// d^T H d summed over all rows.
inline double output_error(const RoundProblem& problem, const std::vector<std::int16_t>& stored) {
  const ChannelMatrix& weight = problem.weight;
  const std::int64_t side = weight.inputs * weight.taps;
  double sum = 0.0;
  for (std::int64_t g = 0; g < weight.groups; ++g) {
    for (std::int64_t o = 0; o < weight.outputs; ++o) {
      const auto error = [&](std::int64_t column) {
        const std::size_t at = weight.index(g, o, column / weight.taps, column % weight.taps);
        const auto row = static_cast<std::size_t>(g * weight.outputs + o);
        return static_cast<double>(static_cast<float>(stored[at]) * problem.scales[row]) -
               static_cast<double>(weight.data[at]);
      };
      for (std::int64_t i = 0; i < side; ++i)
        for (std::int64_t j = 0; j < side; ++j)
          sum += error(i) * error(j) *
                 static_cast<double>(
                     problem.energy[static_cast<std::size_t>((g * side + i) * side + j)]);
    }
  }
  return sum;
}

// Sum of |W x - Q y|^2 over samples and rows, by its definition, for inputs y that are mixtures of the
// x of the float model. `told`: whether the rounding gets to know of it.
inline double error_on_drifted_inputs(const Rounding& rounding, bool told) {
  constexpr Eigen::Index side = 24;
  constexpr Eigen::Index samples = 300;
  Layer layer(9, 1, 16, side, 1);
  for (float& scale : layer.scales) scale = 0.5F;
  Random random(77);
  Matrix x(samples, side);
  Matrix y(samples, side);
  for (Eigen::Index n = 0; n < samples; ++n) {
    const double common = random.normal();
    for (Eigen::Index i = 0; i < side; ++i) x(n, i) = common + random.normal();
    for (Eigen::Index i = 0; i < side; ++i) y(n, i) = 0.8 * x(n, i) + 0.3 * x(n, (i + 1) % side);
  }
  std::vector<float> drift;
  const Matrix moments = y.transpose() * y;
  const Matrix moved = (x - y).transpose() * y;
  layer.energy.clear();
  for (Eigen::Index i = 0; i < side; ++i) {
    for (Eigen::Index j = 0; j < side; ++j) {
      layer.energy.push_back(static_cast<float>(moments(i, j)));
      drift.push_back(static_cast<float>(moved(i, j)));
    }
  }
  RoundProblem problem = layer.problem();
  problem.highest = 127;
  if (told) problem.drift = drift;
  const std::vector<std::int16_t> stored = round_weights(rounding, problem).stored;
  Matrix w(16, side);
  Matrix q(16, side);
  for (Eigen::Index row = 0; row < 16; ++row) {
    for (Eigen::Index column = 0; column < side; ++column) {
      const std::size_t at = problem.weight.index(0, row, column, 0);
      w(row, column) = static_cast<double>(layer.data[at]);
      q(row, column) = 0.5 * stored[at];
    }
  }
  return (x * w.transpose() - y * q.transpose()).squaredNorm();
}

}  // namespace ocs::correlated
