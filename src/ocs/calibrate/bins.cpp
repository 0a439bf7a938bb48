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

int exponent_for(std::uint32_t magnitude) {
  // |value| < 2^(k + 1) with k = its exponent field - 127; half = 2^11 bins of 2^(k + 1 - 11) reach
  // just that far.
  const int field = static_cast<int>(magnitude >> 23U);
  return std::max(field - 127 + 1 - 11, lowest_exponent);
}

void numbers_scalar(std::span<const float> values, int exponent, std::uint32_t* numbers) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    // A double holds the quotient of any float by any of our widths exactly.
    const double bin = std::floor(std::ldexp(static_cast<double>(values[i]), -exponent));
    numbers[i] =
        values[i] == 0.0F ? zero : static_cast<std::uint32_t>(static_cast<int>(bin) + half);
  }
}

std::size_t nonzero_numbers_scalar(std::span<const float> values, int exponent,
                                   std::uint32_t* numbers) {
  std::size_t found = 0;
  for (const float& value : values)
    if (value != 0.0F) numbers_scalar({&value, 1}, exponent, numbers + found++);
  return found;
}

}  // namespace ocs::bins
