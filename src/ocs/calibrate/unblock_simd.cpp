// unblock for every instruction set: this file is compiled once for each, Highway picks at run time.
#include "ocs/calibrate/unblock.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ocs/calibrate/unblock_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ocs::HWY_NAMESPACE {  // NOLINT(google-build-namespaces): one namespace for each
                                // instruction set
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

using Four = hn::FixedTag<float, 4>;
using Pair = hn::FixedTag<double, 2>;

// The halves of two vectors, as they are.
HWY_INLINE hn::Vec<Four> lower_halves(hn::Vec<Four> a, hn::Vec<Four> b) {
  const Pair pairs;
  return hn::BitCast(Four(),
                     hn::InterleaveLower(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
}
HWY_INLINE hn::Vec<Four> upper_halves(hn::Vec<Four> a, hn::Vec<Four> b) {
  const Pair pairs;
  return hn::BitCast(Four(),
                     hn::InterleaveUpper(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
}

// Four channels of a block, four values of each at once.
HWY_INLINE void four_channels(const float* from, std::size_t block, std::size_t inner, float* to) {
  const Four floats;
  std::size_t i = 0;
  for (; i + 4 <= inner; i += 4) {
    const auto a = hn::LoadU(floats, from + i * block);
    const auto b = hn::LoadU(floats, from + (i + 1) * block);
    const auto c = hn::LoadU(floats, from + (i + 2) * block);
    const auto d = hn::LoadU(floats, from + (i + 3) * block);
    const auto low_ab = hn::InterleaveLower(floats, a, b);  // two channels of two values
    const auto low_cd = hn::InterleaveLower(floats, c, d);
    const auto high_ab = hn::InterleaveUpper(floats, a, b);
    const auto high_cd = hn::InterleaveUpper(floats, c, d);
    hn::StoreU(lower_halves(low_ab, low_cd), floats, to + i);
    hn::StoreU(upper_halves(low_ab, low_cd), floats, to + inner + i);
    hn::StoreU(lower_halves(high_ab, high_cd), floats, to + 2 * inner + i);
    hn::StoreU(upper_halves(high_ab, high_cd), floats, to + 3 * inner + i);
  }
  for (; i < inner; ++i)
    for (std::size_t channel = 0; channel < 4; ++channel)
      to[channel * inner + i] = from[i * block + channel];
}

void unblock_fours(const float* from, std::size_t block, std::size_t inner, float* to) {
  for (std::size_t channel = 0; channel < block; channel += 4)
    four_channels(from + channel, block, inner, to + channel * inner);
}

#else  // no vectors at all

void unblock_fours(const float* from, std::size_t block, std::size_t inner, float* to) {
  unblock_scalar({from, block * inner}, block, inner, {to, block * inner});
}

#endif

}  // namespace ocs::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ocs {

HWY_EXPORT(unblock_fours);

void unblock(std::span<const float> from, std::size_t block, std::size_t inner,
             std::span<float> to) {
  HWY_DYNAMIC_DISPATCH(unblock_fours)(from.data(), block, inner, to.data());
}

}  // namespace ocs
#endif
