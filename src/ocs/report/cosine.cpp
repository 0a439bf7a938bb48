#include "ocs/report/cosine.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace ocs {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double cosine_similarity(std::span<const float> reference, std::span<const float> value) {
  if (reference.size() != value.size() || reference.empty()) return unknown;
  double product = 0.0;
  double of_reference = 0.0;
  double of_value = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (!std::isfinite(reference[i])) continue;
    if (!std::isfinite(value[i])) return 0.0;
    const auto a = static_cast<double>(reference[i]);
    const auto b = static_cast<double>(value[i]);
    product += a * b;
    of_reference += a * a;
    of_value += b * b;
  }
  if (of_reference == 0.0 && of_value == 0.0) return 1.0;
  if (of_reference == 0.0 || of_value == 0.0) return 0.0;
  // Two roots: the product of the squares of large floats would overflow sooner.
  return std::clamp(product / (std::sqrt(of_reference) * std::sqrt(of_value)), -1.0, 1.0);
}

void CosineSimilarity::add(double cosine) {
  ++samples;
  if (std::isnan(cosine)) {
    comparable = false;
    return;
  }
  sum += cosine;
  least = std::min(least, cosine);
}

void CosineSimilarity::add(const CosineSimilarity& other) {
  sum += other.sum;
  least = std::min(least, other.least);
  samples += other.samples;
  comparable = comparable && other.comparable;
}

double CosineSimilarity::mean() const {
  return comparable && samples > 0 ? sum / static_cast<double>(samples) : unknown;
}

double CosineSimilarity::minimum() const { return comparable && samples > 0 ? least : unknown; }

}  // namespace ocs
