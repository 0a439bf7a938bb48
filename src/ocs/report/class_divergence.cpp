#include "ocs/report/class_divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ocs/report/signal_to_noise.h"

namespace ocs {
namespace {

// A softmax in float adds up to 1 with an error far below this; scores that do by chance are few.
constexpr double sum_tolerance = 1e-3;

std::vector<double> values_of(std::span<const float> values, const ClassRow& row) {
  std::vector<double> scores(static_cast<std::size_t>(row.classes));
  for (std::int64_t i = 0; i < row.classes; ++i)
    scores[static_cast<std::size_t>(i)] =
        static_cast<double>(values[static_cast<std::size_t>(row.begin + i * row.stride)]);
  return scores;
}

bool is_distribution(const std::vector<double>& row) {
  double sum = 0.0;
  for (const double value : row) {
    if (!(value >= 0.0)) return false;
    sum += value;
  }
  return std::fabs(sum - 1.0) < sum_tolerance;
}

// Logarithms of the probabilities, in place. A probability that float rounded to 0 counts as the
// smallest that float has.
void take_logarithms(std::vector<double>& row, bool are_probabilities) {
  if (are_probabilities) {
    for (double& value : row)
      value = std::log(std::max(value, static_cast<double>(std::numeric_limits<float>::min())));
    return;
  }
  const double largest = *std::ranges::max_element(row);
  double sum = 0.0;
  for (const double value : row) sum += std::exp(value - largest);
  for (double& value : row) value -= largest + std::log(sum);
}

double divergence(std::vector<double> reference, std::vector<double> value) {
  const bool are_probabilities = is_distribution(reference);
  take_logarithms(reference, are_probabilities);
  take_logarithms(value, are_probabilities);
  double sum = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i)
    if (const double p = std::exp(reference[i]); p != 0.0) sum += p * (reference[i] - value[i]);
  return std::isfinite(sum) ? sum : std::numeric_limits<double>::infinity();
}

}  // namespace

void ClassDivergence::add(std::span<const std::int64_t> shape, std::span<const float> reference,
                          std::span<const float> value) {
  if (reference.size() != value.size()) return;
  for (const ClassRow& row : class_rows(shape)) {
    sum += divergence(values_of(reference, row), values_of(value, row));
    ++rows;
  }
}

void ClassDivergence::add(const ClassDivergence& other) {
  sum += other.sum;
  rows += other.rows;
}

double ClassDivergence::mean() const {
  if (rows == 0) return std::numeric_limits<double>::quiet_NaN();
  return sum / static_cast<double>(rows);
}

}  // namespace ocs
