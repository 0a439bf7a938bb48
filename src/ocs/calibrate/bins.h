// The inner loops of Histogram: a pass for the range of a block, and one that turns values into bin
// numbers and finds their range as well. Each has a version for every instruction set (bins_simd.cpp, chosen at run time) and a
// plain one that is the definition; both give the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ocs::bins {

constexpr int half = 2048;       // bins on each side of zero
constexpr int count = 2 * half;  // bins
constexpr std::uint32_t zero =
    2 * half;  // the number that stands for an exact zero, behind all bins

// Bits of a float without its sign order like its magnitude; from this value on they are infinity
// (equal) and NaN (above).
constexpr std::uint32_t infinity_bits = 0x7F800000U;

struct Extremes {
  float min = 0.0F;
  float max = 0.0F;
  std::uint32_t magnitude = 0;  // largest bits without sign
};

// Of at least one value. min and max mean nothing where magnitude > infinity_bits; the sign of a
// zero is not kept.
[[nodiscard]] Extremes extremes(std::span<const float> values);
[[nodiscard]] Extremes extremes_scalar(std::span<const float> values);

// Smallest exponent whose bins 2^exponent wide hold every value of this magnitude; at least
// lowest_exponent, so that no width and no factor leaves the normal floats (then values and results
// do not depend on how a processor treats subnormal ones).
constexpr int lowest_exponent = -126;
[[nodiscard]] constexpr int exponent_for(std::uint32_t magnitude) {
  // |value| < 2^(k + 1) with k = its exponent field - 127; half = 2^11 bins of 2^(k + 1 - 11) reach
  // just that far.
  const int field = static_cast<int>(magnitude >> 23U);
  return std::max(field - 127 + 1 - 11, lowest_exponent);
}

[[nodiscard]] constexpr bool holds(int exponent, const Extremes& extremes) {
  return extremes.magnitude < infinity_bits && exponent_for(extremes.magnitude) <= exponent;
}

struct Numbered {
  Extremes extremes{};
  std::size_t count = 0;  // numbers written
};

// numbers[i] = half + floor(values[i] / 2^exponent), or `zero`, and the extremes, in one pass over at least one value. Where the exponent
// does not hold them, count and numbers mean nothing. Up to `slack` more elements of `numbers` may be written.
constexpr std::size_t slack = 64;
[[nodiscard]] Numbered number_all(std::span<const float> values, int exponent,
                                  std::uint32_t* numbers);
[[nodiscard]] Numbered number_all_scalar(std::span<const float> values, int exponent,
                                         std::uint32_t* numbers);

// The same without the zeros: the numbers of the other values in their order.
[[nodiscard]] Numbered number_nonzero(std::span<const float> values, int exponent,
                                      std::uint32_t* numbers);
[[nodiscard]] Numbered number_nonzero_scalar(std::span<const float> values, int exponent,
                                             std::uint32_t* numbers);

}  // namespace ocs::bins
