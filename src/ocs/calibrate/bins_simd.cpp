// bins.h for every instruction set: this file is compiled once for each, Highway picks at run time.
#include <array>
#include <bit>
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

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;

// Lane by lane.
struct Range {
  hn::Vec<Floats> low;
  hn::Vec<Floats> high;
  hn::Vec<Ints> magnitude;
};

HWY_INLINE Range range_from(float value) {
  const Floats floats;
  return {hn::Set(floats, value), hn::Set(floats, value), hn::Zero(Ints())};
}

HWY_INLINE void include(hn::Vec<Floats> values, Range& range) {
  const Ints ints;
  range.low = hn::Min(range.low, values);
  range.high = hn::Max(range.high, values);
  range.magnitude =
      hn::Max(range.magnitude, hn::And(hn::BitCast(ints, values), hn::Set(ints, 0x7FFFFFFF)));
}

HWY_INLINE Extremes total(const Range& range) {
  const Floats floats;
  const Ints ints;
  return {
      .min = hn::GetLane(hn::MinOfLanes(floats, range.low)) + 0.0F,
      .max = hn::GetLane(hn::MaxOfLanes(floats, range.high)) + 0.0F,
      .magnitude = static_cast<std::uint32_t>(hn::GetLane(hn::MaxOfLanes(ints, range.magnitude)))};
}

void include(const Extremes& more, Extremes& extremes) {
  extremes.min = more.min < extremes.min ? more.min : extremes.min;
  extremes.max = more.max > extremes.max ? more.max : extremes.max;
  extremes.magnitude = more.magnitude > extremes.magnitude ? more.magnitude : extremes.magnitude;
}

Extremes find_extremes(const float* values, std::size_t count) {
  const Floats floats;
  const std::size_t lanes = hn::Lanes(floats);
  Range range = range_from(values[0]);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) include(hn::LoadU(floats, values + i), range);
  Extremes found = total(range);
  if (i < count) include(extremes_scalar({values + i, count - i}), found);
  return found;
}

// The numbers of a vector of values that are not zero.
// How values become numbers, with the exponent in it.
struct Scale {
  hn::Vec<Floats> factor;
  hn::Vec<Ints>
      highest;  // bits of a magnitude above those that the exponent holds: larger ones and NaN count as this one
};

HWY_INLINE Scale scale_of(int exponent) {
  // 2^29 bins: far above those that there are, and an integer.
  constexpr int bins = 29;
  constexpr int largest_exponent = 127;
  const std::uint32_t highest =
      exponent + bins > largest_exponent
          ? infinity_bits - 1
          : std::bit_cast<std::uint32_t>(std::ldexp(1.0F, exponent + bins));
  return {hn::Set(Floats(), std::ldexp(1.0F, -exponent)),
          hn::Set(Ints(), static_cast<std::int32_t>(highest))};
}

HWY_INLINE hn::Vec<Ints> numbers_of(hn::Vec<Floats> values, const Scale& scale) {
  const Floats floats;
  const Ints ints;
  const auto bits = hn::BitCast(ints, values);
  const auto sign = hn::BroadcastSignBit(bits);  // 0 or -1
  const auto magnitude = hn::And(bits, hn::Set(ints, 0x7FFFFFFF));
  // floor(-a) = -1 - floor(a') for the float a' just below a, since every bound of a bin is a
  // float: so negative values are truncated as positive ones, one step smaller, and no product
  // that underflows can turn a small negative value into zero.
  // Max keeps -0, one step below 0, from becoming the bits of a NaN.
  const auto below = hn::Min(hn::Max(hn::Add(magnitude, sign), hn::Zero(ints)), scale.highest);
  const auto scaled = hn::Mul(hn::BitCast(floats, below), scale.factor);
  return hn::Add(hn::Xor(hn::ConvertTo(ints, scaled), sign), hn::Set(ints, half));
}

Numbered find_all(const float* values, std::size_t count, int exponent, std::uint32_t* numbers) {
  const Floats floats;
  const Ints ints;
  const hn::RebindToUnsigned<Floats> unsigned_ints;
  const std::size_t lanes = hn::Lanes(floats);
  const Scale scale = scale_of(exponent);
  const auto is_zero = hn::Set(ints, static_cast<std::int32_t>(zero));
  Range range = range_from(values[0]);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(floats, values + i);
    include(value, range);
    // Not as floats: a processor may be told to take small ones for zero.
    const auto nothing =
        hn::Eq(hn::And(hn::BitCast(ints, value), hn::Set(ints, 0x7FFFFFFF)), hn::Zero(ints));
    const auto number = hn::IfThenElse(nothing, is_zero, numbers_of(value, scale));
    hn::StoreU(hn::BitCast(unsigned_ints, number), unsigned_ints, numbers + i);
  }
  Numbered found{.extremes = total(range), .count = count};
  if (i < count)
    include(number_all_scalar({values + i, count - i}, exponent, numbers + i).extremes,
            found.extremes);
  return found;
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

// Those of the mask, side by side. Returns how many. Compressed in a register, then stored whole: the instruction that compresses into memory
// takes a hundred cycles and more on Zen 4.
template <class Vector, class Mask>
HWY_INLINE std::size_t store_some(Vector vector, Mask mask, std::uint32_t* to) {
  const hn::RebindToUnsigned<Floats> unsigned_ints;
  hn::StoreU(compressed(unsigned_ints, vector, mask), unsigned_ints, to);
  return hn::CountTrue(unsigned_ints, mask);
}

void add_rest(std::span<const float> values, int exponent, std::uint32_t* numbers,
              Numbered& found) {
  const Numbered rest = number_nonzero_scalar(values, exponent, numbers + found.count);
  include(rest.extremes, found.extremes);
  found.count += rest.count;
}

// Any values.
Numbered find_nonzero_signed(const float* values, std::size_t count, int exponent,
                             std::uint32_t* numbers) {
  const Floats floats;
  const Ints ints;
  const hn::RebindToUnsigned<Floats> unsigned_ints;
  const std::size_t lanes = hn::Lanes(floats);
  const Scale scale = scale_of(exponent);
  Range range = range_from(values[0]);
  Numbered found;
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(floats, values + i);
    include(value, range);
    const auto something =
        hn::Ne(hn::And(hn::BitCast(ints, value), hn::Set(ints, 0x7FFFFFFF)), hn::Zero(ints));
    found.count += store_some(hn::BitCast(unsigned_ints, numbers_of(value, scale)),
                              hn::RebindMask(unsigned_ints, something), numbers + found.count);
  }
  found.extremes = total(range);
  if (i < count) add_rest({values + i, count - i}, exponent, numbers, found);
  return found;
}

// Values behind a Relu, in half the steps. False where one has a sign, which is looked at early: others have them everywhere.
bool find_positive(const float* values, std::size_t count, int exponent, std::uint32_t* numbers,
                   Numbered& found) {
  const Floats floats;
  const Ints ints;
  const hn::RebindToUnsigned<Floats> unsigned_ints;
  const std::size_t lanes = hn::Lanes(floats);
  const auto factor = hn::Set(floats, std::ldexp(1.0F, -exponent));
  // Added to an integer below it, it has that integer in its lowest bits.
  constexpr float integers = 0x1p23F;
  const auto from_bits = hn::Set(ints, half - std::bit_cast<std::int32_t>(integers));
  auto signs = hn::Zero(ints);
  auto largest = hn::Zero(ints);
  const std::size_t whole = count - count % lanes;
  for (std::size_t i = 0, end = std::min(whole, 8 * lanes); i < whole; end = whole) {
    for (; i < end; i += lanes) {
      const auto value = hn::LoadU(floats, values + i);
      const auto bits = hn::BitCast(ints, value);
      signs = hn::Or(signs, bits);
      largest = hn::Max(largest, bits);
      const auto integer = hn::Trunc(hn::Mul(value, factor));
      const auto number =
          hn::Add(hn::BitCast(ints, hn::Add(integer, hn::Set(floats, integers))), from_bits);
      found.count += store_some(hn::BitCast(unsigned_ints, number),
                                hn::RebindMask(unsigned_ints, hn::Gt(bits, hn::Zero(ints))),
                                numbers + found.count);
    }
    if (!hn::AllFalse(ints, hn::Lt(signs, hn::Zero(ints)))) return false;
  }
  if (found.count == whole) {  // without a zero the least value is not known yet
    found.extremes = find_extremes(values, whole == 0 ? count : whole);
  } else {
    const auto magnitude = static_cast<std::uint32_t>(hn::GetLane(hn::MaxOfLanes(ints, largest)));
    found.extremes = {.max = std::bit_cast<float>(magnitude), .magnitude = magnitude};
  }
  if (whole < count) add_rest({values + whole, count - whole}, exponent, numbers, found);
  return true;
}

Numbered find_nonzero(const float* values, std::size_t count, int exponent,
                      std::uint32_t* numbers) {
  Numbered found;
  return find_positive(values, count, exponent, numbers, found)
             ? found
             : find_nonzero_signed(values, count, exponent, numbers);
}

}  // namespace ocs::bins::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ocs::bins {

HWY_EXPORT(find_extremes);
HWY_EXPORT(find_all);
HWY_EXPORT(find_nonzero);

Extremes extremes(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(find_extremes)(values.data(), values.size());
}

Numbered number_all(std::span<const float> values, int exponent, std::uint32_t* numbers) {
  return HWY_DYNAMIC_DISPATCH(find_all)(values.data(), values.size(), exponent, numbers);
}

Numbered number_nonzero(std::span<const float> values, int exponent, std::uint32_t* numbers) {
  return HWY_DYNAMIC_DISPATCH(find_nonzero)(values.data(), values.size(), exponent, numbers);
}

}  // namespace ocs::bins
#endif
