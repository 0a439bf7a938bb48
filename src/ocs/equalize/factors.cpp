#include "ocs/equalize/factors.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"

namespace ocs {
namespace {

// Degrees of the norms that stand for the maximum. Weights are cut where that costs less than a wider
// grid; 4 and 8 measured best (docs/equalization.md).
constexpr int weight_degree = 4;
constexpr int data_degree = 8;
constexpr int most_rounds = 300;
constexpr double smallest_move = 1e-3;

double fourth_power(double value) {
  const double square = value * value;
  return square * square;
}
static_assert(weight_degree == 4 && data_degree == 8);

std::size_t index(int number) { return static_cast<std::size_t>(number); }

// Shares of the noise that rise and fall with one factor: its derivatives by log t.
struct Slope {
  double rising = 0.0;
  double falling = 0.0;
};

// What one term adds to the noise, and to the slopes of its rows (or channels) and columns.
struct Share {
  double noise = 0.0;
  std::vector<Slope> rows{};
  std::vector<Slope> columns{};
};

class WeightTerm {
 public:
  WeightTerm(const EqualizedWeights& weights, const std::vector<double>& importance)
      : weights_(weights), importance_(importance) {
    const ChannelMatrix& matrix = weights.matrix;
    if (index(static_cast<int>(matrix.rows())) != weights.rows.size() ||
        index(static_cast<int>(matrix.columns())) != weights.input_energy.size() ||
        (!weights.columns.empty() && weights.columns.size() != weights.input_energy.size()))
      throw_internal("an equalization of other channels");
    magnitudes_.assign(static_cast<std::size_t>(matrix.rows() * matrix.inputs), 0.0F);
    for_each_weight(matrix, [&](std::int64_t row, std::int64_t column, std::size_t at) {
      float& held =
          magnitudes_[static_cast<std::size_t>(row * matrix.inputs + column % matrix.inputs)];
      held = std::max(held, std::fabs(matrix.data[at]));
    });
    const float largest = magnitudes_.empty() ? 0.0F : *std::ranges::max_element(magnitudes_);
    if (largest <= 0.0F) return;
    unit_ = static_cast<double>(largest);
    for (float& magnitude : magnitudes_)
      magnitude = static_cast<float>(fourth_power(static_cast<double>(magnitude / largest)));
  }

  [[nodiscard]] Share share(const std::vector<double>& factors) const {
    const ChannelMatrix& matrix = weights_.matrix;
    Share share{.rows = std::vector<Slope>(weights_.rows.size()),
                .columns = std::vector<Slope>(weights_.columns.size())};
    if (unit_ == 0.0) return share;
    const double step = unit_ / weights_.levels;
    const double unit = static_cast<double>(matrix.taps) * step * step / 12.0;
    std::vector<double> row_factor(weights_.rows.size());
    std::vector<double> spread(weights_.rows.size());  // importance / t^2
    for (std::size_t row = 0; row < row_factor.size(); ++row) {
      row_factor[row] = factors[index(weights_.rows[row])];
      spread[row] = importance_[index(weights_.rows[row])] / (row_factor[row] * row_factor[row]);
    }
    std::vector<double> inverse(weights_.input_energy.size(), 1.0);  // 1 / t^4
    std::vector<double> energy = weights_.input_energy;
    for (std::size_t column = 0; column < weights_.columns.size(); ++column) {
      const double factor = factors[index(weights_.columns[column])];
      inverse[column] = 1.0 / fourth_power(factor);
      energy[column] *= factor * factor;
    }
    const std::vector<double> sums = row_sums(inverse);
    if (weights_.has_row_scales)
      add_row_scales(unit, row_factor, spread, inverse, energy, sums, share);
    else
      add_one_scale(unit, row_factor, spread, inverse, energy, sums, share);
    return share;
  }

  [[nodiscard]] const EqualizedWeights& weights() const { return weights_; }

 private:
  [[nodiscard]] std::span<const float> magnitudes_of(std::size_t row) const {
    const auto inputs = static_cast<std::size_t>(weights_.matrix.inputs);
    return std::span(magnitudes_).subspan(row * inputs, inputs);
  }
  [[nodiscard]] std::size_t first_column(std::size_t row) const {
    const auto outputs = static_cast<std::size_t>(weights_.matrix.outputs);
    return row / outputs * static_cast<std::size_t>(weights_.matrix.inputs);
  }
  // Of (|W| / t_column)^4 over the columns of each row.
  [[nodiscard]] std::vector<double> row_sums(const std::vector<double>& inverse) const {
    std::vector<double> sums(weights_.rows.size(), 0.0);
    for (std::size_t row = 0; row < sums.size(); ++row) {
      const std::span<const float> magnitudes = magnitudes_of(row);
      const double* scaled = inverse.data() + first_column(row);
      double sum = 0.0;
      for (std::size_t i = 0; i < magnitudes.size(); ++i)
        sum += static_cast<double>(magnitudes[i]) * scaled[i];
      sums[row] = sum;
    }
    return sums;
  }
  // Energy of the columns that each row meets, by its first column.
  [[nodiscard]] double energy_of(std::size_t row, const std::vector<double>& energy) const {
    const auto first = energy.begin() + static_cast<std::ptrdiff_t>(first_column(row));
    return std::accumulate(first, first + weights_.matrix.inputs, 0.0);
  }

  // With a scale for each row its factor cancels: rows have no slope.
  void add_row_scales(double unit, const std::vector<double>& row_factor,
                      const std::vector<double>& spread, const std::vector<double>& inverse,
                      const std::vector<double>& energy, const std::vector<double>& sums,
                      Share& share) const {
    for (std::size_t row = 0; row < sums.size(); ++row) {
      if (sums[row] <= 0.0) continue;
      const double square =
          row_factor[row] * row_factor[row] * std::pow(sums[row], 2.0 / weight_degree);
      const double weight = unit * square * spread[row];
      const double noise = weight * energy_of(row, energy);
      share.noise += noise;
      // Of a single column (depthwise) the factor cancels too; shares that rise and fall alike would
      // only slow down all others.
      if (share.columns.empty() || weights_.matrix.inputs == 1) continue;
      const std::span<const float> magnitudes = magnitudes_of(row);
      const std::size_t first = first_column(row);
      for (std::size_t i = 0; i < magnitudes.size(); ++i) {
        Slope& slope = share.columns[first + i];
        slope.falling +=
            2.0 * noise * static_cast<double>(magnitudes[i]) * inverse[first + i] / sums[row];
        slope.rising += 2.0 * weight * energy[first + i];
      }
    }
  }

  void add_one_scale(double unit, const std::vector<double>& row_factor,
                     const std::vector<double>& spread, const std::vector<double>& inverse,
                     const std::vector<double>& energy, const std::vector<double>& sums,
                     Share& share) const {
    std::vector<double> raised(sums.size());  // t_row^4
    double sum = 0.0;
    for (std::size_t row = 0; row < sums.size(); ++row) {
      raised[row] = fourth_power(row_factor[row]);
      sum += raised[row] * sums[row];
    }
    if (sum <= 0.0) return;
    const double square = unit * std::pow(sum, 2.0 / weight_degree);
    for (std::size_t row = 0; row < sums.size(); ++row) {
      const double noise = square * spread[row] * energy_of(row, energy);
      share.noise += noise;
      share.rows[row].falling += 2.0 * noise;
      for (std::size_t i = 0; i < magnitudes_of(row).size() && !share.columns.empty(); ++i)
        share.columns[first_column(row) + i].rising +=
            2.0 * square * spread[row] * energy[first_column(row) + i];
    }
    for (std::size_t row = 0; row < sums.size(); ++row) {
      share.rows[row].rising += 2.0 * share.noise * raised[row] * sums[row] / sum;
      if (share.columns.empty()) continue;
      const std::span<const float> magnitudes = magnitudes_of(row);
      const std::size_t first = first_column(row);
      for (std::size_t i = 0; i < magnitudes.size(); ++i)
        share.columns[first + i].falling += 2.0 * share.noise * raised[row] *
                                            static_cast<double>(magnitudes[i]) *
                                            inverse[first + i] / sum;
    }
  }

  const EqualizedWeights& weights_;
  const std::vector<double>& importance_;
  double unit_ = 0.0;                // the largest magnitude; 0: all are zero
  std::vector<float> magnitudes_{};  // rows x inputs: (largest of the taps / unit_)^4
};

Share share_of(const EqualizedData& data, const std::vector<double>& importance,
               const std::vector<double>& factors) {
  Share share{.rows = std::vector<Slope>(data.channels.size())};
  const auto largest = std::ranges::max_element(data.magnitudes);
  if (largest == data.magnitudes.end() || *largest <= 0.0) return share;
  std::vector<double> raised(data.channels.size());
  double sum = 0.0;
  double spread = 0.0;
  for (std::size_t c = 0; c < raised.size(); ++c) {
    const double factor = factors[index(data.channels[c])];
    raised[c] = fourth_power(data.magnitudes[c] / *largest * factor);
    raised[c] *= raised[c];
    sum += raised[c];
    spread += importance[index(data.channels[c])] / (factor * factor);
  }
  const double step = *largest / data.levels;
  const double square = step * step / 12.0 * std::pow(sum, 2.0 / data_degree);
  share.noise = square * spread;
  for (std::size_t c = 0; c < raised.size(); ++c) {
    const double factor = factors[index(data.channels[c])];
    share.rows[c] = {
        .rising = 2.0 * share.noise * raised[c] / sum,
        .falling = 2.0 * square * importance[index(data.channels[c])] / (factor * factor)};
  }
  return share;
}

void add(const std::vector<Slope>& shares, const std::vector<int>& numbers,
         std::vector<Slope>& slopes) {
  for (std::size_t c = 0; c < shares.size(); ++c) {
    slopes[index(numbers[c])].rising += shares[c].rising;
    slopes[index(numbers[c])].falling += shares[c].falling;
  }
}

// The noise at some factors and its slopes.
struct Point {
  double noise = 0.0;
  std::vector<Slope> slopes{};
};

class Objective {
 public:
  explicit Objective(const EqualizationProblem& problem) : problem_(problem) {
    terms_.reserve(problem.weights.size());
    for (const EqualizedWeights& weights : problem.weights)
      terms_.emplace_back(weights, problem.importance);
  }

  // Terms on several threads, added up in their order.
  [[nodiscard]] Point at(const std::vector<double>& factors) const {
    std::vector<Share> shares(terms_.size() + problem_.data.size());
    parallel_for(shares.size(), [&](std::size_t i) {
      shares[i] = i < terms_.size()
                      ? terms_[i].share(factors)
                      : share_of(problem_.data[i - terms_.size()], problem_.importance, factors);
    });
    Point point{.slopes = std::vector<Slope>(factors.size())};
    for (std::size_t i = 0; i < shares.size(); ++i) {
      point.noise += shares[i].noise;
      const bool is_weights = i < terms_.size();
      add(shares[i].rows,
          is_weights ? terms_[i].weights().rows : problem_.data[i - terms_.size()].channels,
          point.slopes);
      if (is_weights) add(shares[i].columns, terms_[i].weights().columns, point.slopes);
    }
    return point;
  }

 private:
  const EqualizationProblem& problem_;
  std::vector<WeightTerm> terms_{};
};

}  // namespace

Equalization equalize(const EqualizationProblem& problem) {
  const std::size_t count = problem.largest.size();
  if (problem.smallest.size() != count || problem.importance.size() != count)
    throw_internal("an equalization of other factors");
  const Objective objective(problem);
  Equalization result{.factors = std::vector<double>(count, 1.0)};
  Point point = objective.at(result.factors);
  result.noise_before = point.noise;
  double step = 1.0 / (2 * data_degree);
  for (; result.rounds < most_rounds; ++result.rounds) {
    std::vector<double> next = result.factors;
    double move = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      const Slope& slope = point.slopes[i];
      if (slope.rising <= 0.0 || slope.falling <= 0.0) continue;
      next[i] = std::clamp(next[i] * std::pow(slope.falling / slope.rising, step),
                           problem.smallest[i], problem.largest[i]);
      move = std::max(move, std::abs(std::log(next[i] / result.factors[i])));
    }
    if (move < smallest_move) break;
    Point moved = objective.at(next);
    if (moved.noise < point.noise) {
      result.factors = std::move(next);
      point = std::move(moved);
    } else {
      step /= 2.0;
    }
  }
  result.noise_after = point.noise;
  return result;
}

}  // namespace ocs
