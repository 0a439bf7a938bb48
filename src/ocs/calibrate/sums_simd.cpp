// sums.h for every instruction set: this file is compiled once for each, Highway picks at run time.
#include <algorithm>
#include <array>
#include <cmath>

#include "ocs/calibrate/sums.h"

// Vectors of a size unknown to the compiler cannot be members; NEON serves those processors.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ocs/calibrate/sums_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ocs::sums::HWY_NAMESPACE {  // NOLINT(google-build-namespaces): one namespace for each
                                      // instruction set
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

// At most 8 doubles a vector, so that a vector never holds two groups of 8 lanes.
using Doubles = hn::CappedTag<double, lanes>;
using Floats = hn::Rebind<float, Doubles>;
using Double = hn::Vec<Doubles>;
using Float = hn::Vec<Floats>;

// 8 lanes of sums, squares and largest magnitudes in up to four vectors (two doubles each on the
// smallest instruction sets). Unused members cost nothing: Lanes() is a constant on these targets,
// the branches go.
struct Accumulator {
  Double sum0, sum1, sum2, sum3;
  Double square0, square1, square2, square3;
  Float high0, high1, high2, high3;
};

HWY_INLINE void add_vector(const float* values, Double& sum, Double& square, Float& high) {
  const Floats floats;
  const Doubles doubles;
  const Float value = hn::LoadU(floats, values);
  const Double wide = hn::PromoteTo(doubles, value);
  sum = hn::Add(sum, wide);
  square = hn::MulAdd(wide, wide, square);  // the product is exact
  high = hn::Max(high, hn::Abs(value));
}

// values[0..8) to the lanes.
HWY_INLINE void add_group(const float* values, Accumulator& to) {
  const std::size_t width = hn::Lanes(Doubles());
  add_vector(values, to.sum0, to.square0, to.high0);
  if (width <= 4) add_vector(values + width, to.sum1, to.square1, to.high1);
  if (width <= 2) {
    add_vector(values + 2 * width, to.sum2, to.square2, to.high2);
    add_vector(values + 3 * width, to.sum3, to.square3, to.high3);
  }
}

HWY_INLINE double total(const double* part) {
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

HWY_INLINE double total(Double part0, Double part1, Double part2, Double part3) {
  const Doubles doubles;
  const std::size_t width = hn::Lanes(doubles);
  HWY_ALIGN double part[lanes];
  hn::Store(part0, doubles, part);
  if (width <= 4) hn::Store(part1, doubles, part + width);
  if (width <= 2) {
    hn::Store(part2, doubles, part + 2 * width);
    hn::Store(part3, doubles, part + 3 * width);
  }
  return total(part);
}

// Channels whose values lie in runs: [outer, channels, inner].
void sum_runs(const float* item, const Extents& extents, const ChannelSums& to) {
  const Doubles doubles;
  const Floats floats;
  const Double none = hn::Zero(doubles);
  const Float low = hn::Zero(floats);
  const std::size_t whole = extents.inner / lanes * lanes;
  for (std::size_t channel = 0; channel < extents.channels; ++channel) {
    Accumulator parts{none, none, none, none, none, none, none, none, low, low, low, low};
    for (std::size_t outer = 0; outer < extents.outer; ++outer) {
      const float* run = item + (outer * extents.channels + channel) * extents.inner;
      for (std::size_t i = 0; i < whole; i += lanes) add_group(run + i, parts);
      if (whole == extents.inner) continue;
      // Zeros fill the last group up: sums do not change, since a lane is never minus zero.
      float last[lanes] = {};
      for (std::size_t i = whole; i < extents.inner; ++i) last[i - whole] = run[i];
      add_group(last, parts);
    }
    to.sums[channel] = total(parts.sum0, parts.sum1, parts.sum2, parts.sum3);
    to.squares[channel] = total(parts.square0, parts.square1, parts.square2, parts.square3);
    const Float high =
        hn::Max(hn::Max(parts.high0, parts.high1), hn::Max(parts.high2, parts.high3));
    to.max_abs[channel] = hn::GetLane(hn::MaxOfLanes(floats, high));
  }
}

// Channels side by side, [rows, channels]: one channel a lane, rows in order.
void sum_columns(const float* item, std::size_t rows, std::size_t channels, const ChannelSums& to) {
  const Doubles doubles;
  const Floats floats;
  const std::size_t width = hn::Lanes(doubles);
  const std::size_t block = 4 * width;  // channels whose twelve vectors stay in registers
  std::size_t channel = 0;
  for (; channel + block <= channels; channel += block) {
    const Double none = hn::Zero(doubles);
    const Float low = hn::Zero(floats);
    Accumulator parts{none, none, none, none, none, none, none, none, low, low, low, low};
    for (std::size_t row = 0; row < rows; ++row) {
      const float* values = item + row * channels + channel;
      add_vector(values, parts.sum0, parts.square0, parts.high0);
      add_vector(values + width, parts.sum1, parts.square1, parts.high1);
      add_vector(values + 2 * width, parts.sum2, parts.square2, parts.high2);
      add_vector(values + 3 * width, parts.sum3, parts.square3, parts.high3);
    }
    double* sums = to.sums.data() + channel;
    double* squares = to.squares.data() + channel;
    float* high = to.max_abs.data() + channel;
    hn::StoreU(parts.sum0, doubles, sums);
    hn::StoreU(parts.sum1, doubles, sums + width);
    hn::StoreU(parts.sum2, doubles, sums + 2 * width);
    hn::StoreU(parts.sum3, doubles, sums + 3 * width);
    hn::StoreU(parts.square0, doubles, squares);
    hn::StoreU(parts.square1, doubles, squares + width);
    hn::StoreU(parts.square2, doubles, squares + 2 * width);
    hn::StoreU(parts.square3, doubles, squares + 3 * width);
    hn::StoreU(parts.high0, floats, high);
    hn::StoreU(parts.high1, floats, high + width);
    hn::StoreU(parts.high2, floats, high + 2 * width);
    hn::StoreU(parts.high3, floats, high + 3 * width);
  }
  for (; channel < channels; ++channel) {
    double sum = 0.0;
    double square = 0.0;
    float high = 0.0F;
    for (std::size_t row = 0; row < rows; ++row) {
      const float value = item[row * channels + channel];
      const auto wide = static_cast<double>(value);
      sum += wide;
      square += wide * wide;
      high = std::max(high, std::abs(value));
    }
    to.sums[channel] = sum;
    to.squares[channel] = square;
    to.max_abs[channel] = high;
  }
}

void add_channels(const float* item, const Extents& extents, const ChannelSums& to) {
  if (extents.inner == 1) {
    sum_columns(item, extents.outer, extents.channels, to);
  } else {
    sum_runs(item, extents, to);
  }
}

#else  // no vectors at all

void add_channels(const float* item, const Extents& extents, const ChannelSums& to) {
  channel_sums_scalar({item, extents.outer * extents.channels * extents.inner}, extents, to);
}

#endif

}  // namespace ocs::sums::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ocs::sums {

HWY_EXPORT(add_channels);

void channel_sums(std::span<const float> item, const Extents& extents, const ChannelSums& to) {
  HWY_DYNAMIC_DISPATCH(add_channels)(item.data(), extents, to);
}

}  // namespace ocs::sums
#endif
