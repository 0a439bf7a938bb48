#include "ocs/calibrate/bins.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ocs::bins {

Extremes extremes_scalar(std::span<const float> values) {
  Extremes result{.min = values[0], .max = values[0]};
  for (const float value : values) {
    result.min = std::min(result.min, value);
    result.max = std::max(result.max, value);
    result.magnitude =
        std::max(result.magnitude, std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU);
  }
  // minus zero and zero are one value; which of the two a minimum returns depends on the order
  result.min += 0.0F;
  result.max += 0.0F;
  return result;
}

namespace {

std::uint32_t number_of(float value, int exponent) {
  // A double holds the quotient of any float by any of our widths exactly.
  const double bin = std::floor(std::ldexp(static_cast<double>(value), -exponent));
  return value == 0.0F ? zero : static_cast<std::uint32_t>(static_cast<int>(bin) + half);
}

}  // namespace

Numbered number_all_scalar(std::span<const float> values, int exponent, std::uint32_t* numbers) {
  const Extremes extremes = extremes_scalar(values);
  if (holds(exponent, extremes))
    std::ranges::transform(values, numbers,
                           [&](float value) { return number_of(value, exponent); });
  return {.extremes = extremes, .count = values.size()};
}

Numbered number_nonzero_scalar(std::span<const float> values, int exponent,
                               std::uint32_t* numbers) {
  Numbered found{.extremes = extremes_scalar(values)};
  if (!holds(exponent, found.extremes)) return found;
  for (const float value : values)
    if (value != 0.0F) numbers[found.count++] = number_of(value, exponent);
  return found;
}

}  // namespace ocs::bins
