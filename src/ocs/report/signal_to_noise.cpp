#include "ocs/report/signal_to_noise.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

namespace ocs {
namespace {

bool same_or_both_nan(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Sums side by side, which do not wait for each other.
struct Lanes {
  static constexpr std::size_t count = 8;
  std::array<double, count> signal{};
  std::array<double, count> noise{};

  void add(std::span<const float, count> reference, std::span<const float, count> value) {
    for (std::size_t lane = 0; lane < count; ++lane) {
      const auto wanted = static_cast<double>(reference[lane]);
      const double difference = wanted - static_cast<double>(value[lane]);
      signal[lane] += wanted * wanted;
      noise[lane] += difference * difference;
    }
  }
};

double total(const std::array<double, Lanes::count>& part) {
  return std::accumulate(part.begin(), part.end(), 0.0);
}

bool are_finite(std::span<const float, Lanes::count> values) {
  constexpr std::uint32_t exponent = 0x7F800000U;  // all of it is set in infinities and NaN
  std::uint32_t largest = 0;
  for (const float value : values)
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & exponent);
  return largest < exponent;
}

// Where the reference may be infinite.
void add_one_by_one(std::span<const float> reference, std::span<const float> value,
                    SignalToNoise& to) {
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (!std::isfinite(reference[i])) {
      if (!same_or_both_nan(reference[i], value[i]))
        to.noise = std::numeric_limits<double>::infinity();
      continue;
    }
    const auto wanted = static_cast<double>(reference[i]);
    const double difference = wanted - static_cast<double>(value[i]);
    to.signal += wanted * wanted;
    to.noise += difference * difference;
  }
}

// Index of the largest value of the row; the first of equals.
std::int64_t place_of_largest(std::span<const float> values, const ClassRow& row) {
  const auto value = [&](std::int64_t i) {
    return values[static_cast<std::size_t>(row.begin + i * row.stride)];
  };
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < row.classes; ++i) {
    if (value(i) > value(best)) best = i;
  }
  return best;
}

}  // namespace

void SignalToNoise::add(std::span<const float> reference, std::span<const float> value) {
  if (reference.size() != value.size()) {
    comparable = false;
    return;
  }
  Lanes lanes;
  std::size_t i = 0;
  for (; i + Lanes::count <= reference.size(); i += Lanes::count) {
    const auto wanted = reference.subspan(i).first<Lanes::count>();
    const auto found = value.subspan(i).first<Lanes::count>();
    if (are_finite(wanted))
      lanes.add(wanted, found);
    else
      add_one_by_one(wanted, found, *this);
  }
  add_one_by_one(reference.subspan(i), value.subspan(i), *this);
  signal += total(lanes.signal);
  noise += total(lanes.noise);
}

void SignalToNoise::add(const SignalToNoise& other) {
  signal += other.signal;
  noise += other.noise;
  comparable = comparable && other.comparable;
}

double SignalToNoise::db() const {
  if (!comparable) return std::numeric_limits<double>::quiet_NaN();
  if (noise == 0.0) return limit_db;
  if (!std::isfinite(noise) || signal == 0.0)
    return -limit_db;  // NaN among the values makes the noise NaN
  return std::clamp(10.0 * std::log10(signal / noise), -limit_db, limit_db);
}

std::vector<ClassRow> class_rows(std::span<const std::int64_t> shape) {
  if (shape.empty()) return {};
  const std::size_t axis = shape.size() >= 4 ? 1 : shape.size() - 1;
  const std::int64_t classes = shape[axis];
  const std::int64_t stride = element_count(shape.subspan(axis + 1));
  if (classes < 2) return {};
  const std::int64_t outer = element_count(shape.first(axis));
  std::vector<ClassRow> rows;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t s = 0; s < stride; ++s)
      rows.push_back({.begin = o * classes * stride + s, .classes = classes, .stride = stride});
  return rows;
}

void SameTopOne::add(std::span<const std::int64_t> shape, std::span<const float> reference,
                     std::span<const float> value) {
  if (reference.size() != value.size()) return;
  for (const ClassRow& row : class_rows(shape)) {
    ++rows;
    if (place_of_largest(reference, row) == place_of_largest(value, row)) ++same;
  }
}

void SameTopOne::add(const SameTopOne& other) {
  same += other.same;
  rows += other.rows;
}

double SameTopOne::percent() const {
  if (rows == 0) return std::numeric_limits<double>::quiet_NaN();
  return 100.0 * static_cast<double>(same) / static_cast<double>(rows);
}

}  // namespace ocs
