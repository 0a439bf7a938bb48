// bins.h for every instruction set: this file is compiled once for each, Highway picks at run time.
#include <array>
#include <cmath>

#include "ocs/calibrate/bins.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ocs/calibrate/bins_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ocs::bins::HWY_NAMESPACE {  // NOLINT(google-build-namespaces): one namespace for each
                                      // instruction set
namespace hn = hwy::HWY_NAMESPACE;

Extremes find_extremes(const float* values, std::size_t count) {
  const hn::ScalableTag<float> floats;
  const hn::RebindToSigned<decltype(floats)> ints;
  const std::size_t lanes = hn::Lanes(floats);
  Extremes rest{.min = values[0], .max = values[0]};
  std::size_t i = 0;
  if (count >= lanes) {
    const auto no_sign = hn::Set(ints, 0x7FFFFFFF);
    auto low = hn::Set(floats, values[0]);
    auto high = low;
    auto magnitude = hn::Zero(ints);
    for (; i + lanes <= count; i += lanes) {
      const auto value = hn::LoadU(floats, values + i);
      low = hn::Min(low, value);
      high = hn::Max(high, value);
      magnitude = hn::Max(magnitude, hn::And(hn::BitCast(ints, value), no_sign));
    }
    rest = {.min = hn::GetLane(hn::MinOfLanes(floats, low)),
            .max = hn::GetLane(hn::MaxOfLanes(floats, high)),
            .magnitude = static_cast<std::uint32_t>(hn::GetLane(hn::MaxOfLanes(ints, magnitude)))};
  }
  if (i < count) {
    const Extremes tail = extremes_scalar({values + i, count - i});
    rest.min = tail.min < rest.min ? tail.min : rest.min;
    rest.max = tail.max > rest.max ? tail.max : rest.max;
    rest.magnitude = tail.magnitude > rest.magnitude ? tail.magnitude : rest.magnitude;
  }
  rest.min += 0.0F;
  rest.max += 0.0F;
  return rest;
}

// The numbers of a vector of values that are not zero.
template <class Floats>
HWY_INLINE auto numbers_of(Floats floats, hn::Vec<Floats> values, hn::Vec<Floats> factor) {
  const hn::RebindToSigned<Floats> ints;
  const auto bits = hn::BitCast(ints, values);
  const auto sign = hn::BroadcastSignBit(bits);  // 0 or -1
  const auto magnitude = hn::And(bits, hn::Set(ints, 0x7FFFFFFF));
  // floor(-a) = -1 - floor(a') for the float a' just below a, since every bound of a bin is a
  // float: so negative values are truncated as positive ones, one step smaller, and no product
  // that underflows can turn a small negative value into zero.
  // Max keeps -0, one step below 0, from becoming the bits of a NaN.
  const auto below = hn::Max(hn::Add(magnitude, sign), hn::Zero(ints));
  const auto scaled = hn::Mul(hn::BitCast(floats, below), factor);
  return hn::Add(hn::Xor(hn::ConvertTo(ints, scaled), sign), hn::Set(ints, half));
}

void find_numbers(const float* values, std::size_t count, int exponent, std::uint32_t* numbers) {
  const hn::ScalableTag<float> floats;
  const hn::RebindToSigned<decltype(floats)> ints;
  const hn::RebindToUnsigned<decltype(floats)> unsigned_ints;
  const std::size_t lanes = hn::Lanes(floats);
  const auto factor = hn::Set(floats, std::ldexp(1.0F, -exponent));
  const auto is_zero = hn::Set(ints, static_cast<std::int32_t>(zero));
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(floats, values + i);
    const auto bin = numbers_of(floats, value, factor);
    // Not as floats: a processor may be told to take small ones for zero.
    const auto nothing =
        hn::Eq(hn::And(hn::BitCast(ints, value), hn::Set(ints, 0x7FFFFFFF)), hn::Zero(ints));
    const auto number = hn::IfThenElse(nothing, is_zero, bin);
    hn::StoreU(hn::BitCast(unsigned_ints, number), unsigned_ints, numbers + i);
  }
  numbers_scalar({values + i, count - i}, exponent, numbers + i);
}

#if HWY_TARGET == HWY_AVX2
// For each mask of eight lanes its lanes in order, a hexadecimal digit each, the first one lowest.
constexpr std::array<std::uint32_t, 256> make_orders() {
  std::array<std::uint32_t, 256> orders{};
  for (std::uint32_t mask = 0; mask < orders.size(); ++mask) {
    std::uint32_t place = 0;
    for (std::uint32_t lane = 0; lane < 8; ++lane)
      if ((mask >> lane & 1U) != 0) orders[mask] |= lane << (4 * place++);
  }
  return orders;
}
constexpr std::array<std::uint32_t, 256> orders = make_orders();
#endif

// The lanes of the mask first. Without an instruction for it, Highway looks the order up in a table that is a local of its function: GCC 12
// copies the 1024 bytes onto the stack for each vector, four fifths of the time of find_nonzero on Zen 3.
template <class Numbers>
HWY_INLINE hn::Vec<Numbers> compressed(Numbers d, hn::Vec<Numbers> numbers,
                                       hn::Mask<Numbers> mask) {
#if HWY_TARGET == HWY_AVX2
  std::array<std::uint8_t, 8> bits{};
  (void)hn::StoreMaskBits(d, mask, bits.data());
  const auto digits = hn::Mul(hn::Iota(d, 0), hn::Set(d, 4));
  const auto lanes = hn::And(hn::Shr(hn::Set(d, orders[bits[0]]), digits), hn::Set(d, 7));
  return hn::TableLookupLanes(numbers, hn::IndicesFromVec(d, lanes));
#else
  (void)d;
  return hn::Compress(numbers, mask);
#endif
}

std::size_t find_nonzero(const float* values, std::size_t count, int exponent,
                         std::uint32_t* numbers) {
  const hn::ScalableTag<float> floats;
  const hn::RebindToSigned<decltype(floats)> ints;
  const hn::RebindToUnsigned<decltype(floats)> unsigned_ints;
  const std::size_t lanes = hn::Lanes(floats);
  const auto factor = hn::Set(floats, std::ldexp(1.0F, -exponent));
  std::size_t i = 0;
  std::size_t found = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(floats, values + i);
    const auto something =
        hn::Ne(hn::And(hn::BitCast(ints, value), hn::Set(ints, 0x7FFFFFFF)), hn::Zero(ints));
    const auto number = hn::BitCast(unsigned_ints, numbers_of(floats, value, factor));
    // Compressed in a register, then stored whole: the instruction that compresses into memory takes a hundred cycles and more on Zen 4.
    const auto is_number = hn::RebindMask(unsigned_ints, something);
    hn::StoreU(compressed(unsigned_ints, number, is_number), unsigned_ints, numbers + found);
    found += hn::CountTrue(unsigned_ints, is_number);
  }
  return found + nonzero_numbers_scalar({values + i, count - i}, exponent, numbers + found);
}

}  // namespace ocs::bins::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ocs::bins {

HWY_EXPORT(find_extremes);
HWY_EXPORT(find_numbers);
HWY_EXPORT(find_nonzero);

Extremes extremes(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(find_extremes)(values.data(), values.size());
}

void numbers(std::span<const float> values, int exponent, std::uint32_t* numbers) {
  HWY_DYNAMIC_DISPATCH(find_numbers)(values.data(), values.size(), exponent, numbers);
}

std::size_t nonzero_numbers(std::span<const float> values, int exponent, std::uint32_t* numbers) {
  return HWY_DYNAMIC_DISPATCH(find_nonzero)(values.data(), values.size(), exponent, numbers);
}

}  // namespace ocs::bins
#endif
