// Highway's scheme: foreach_target.h includes this file once for each instruction set, and
// HWY_DYNAMIC_DISPATCH calls the best one that the machine has.
#include "ocs/clip/grid_fit_kernel.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ocs/clip/grid_fit_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ocs::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Adds `rows` rows of 16 values to the total. No fused multiply-add: it would round otherwise.
template <bool is_counted>
void add_rows(const float* values, const float* counts, std::size_t rows, float per_step,
              LevelRange levels, GridFit& fit) {
  const hn::CappedTag<float, partial_sums> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, per_step);
  const auto lowest = hn::Set(d, static_cast<float>(levels.lowest));
  const auto highest = hn::Set(d, static_cast<float>(levels.highest));
  std::array<float, partial_sums> error{};
  std::array<float, partial_sums> cross{};
  std::array<float, partial_sums> square{};
  for (std::size_t part = 0; part < partial_sums; part += lanes) {
    auto errors = hn::Zero(d);
    auto crosses = hn::Zero(d);
    auto squares = hn::Zero(d);
    for (std::size_t at = part; at < rows * partial_sums; at += partial_sums) {
      const auto position = hn::Mul(hn::LoadU(d, values + at), scale);
      const auto level = hn::Round(hn::Min(hn::Max(position, lowest), highest));
      const auto miss = hn::Sub(position, level);
      const auto count = is_counted ? hn::LoadU(d, counts + at) : hn::Set(d, 1.0F);
      const auto times = [&](auto product) {
        return is_counted ? hn::Mul(product, count) : product;
      };
      errors = hn::Add(errors, times(hn::Mul(miss, miss)));
      crosses = hn::Add(crosses, times(hn::Mul(level, position)));
      squares = hn::Add(squares, times(hn::Mul(level, level)));
    }
    hn::StoreU(errors, d, error.data() + part);
    hn::StoreU(crosses, d, cross.data() + part);
    hn::StoreU(squares, d, square.data() + part);
  }
  for (std::size_t part = 0; part < partial_sums; ++part) {
    fit.error += static_cast<double>(error[part]);
    fit.cross += static_cast<double>(cross[part]);
    fit.square += static_cast<double>(square[part]);
  }
}

using Block = std::array<float, block_values>;

// `from`, or where it is no whole number of rows a copy of it with zeros behind: they add nothing.
const float* whole_rows(const float* from, std::size_t size, Block& padded) {
  if (size % partial_sums == 0) return from;
  std::copy_n(from, size, padded.begin());
  return padded.data();
}

template <bool is_counted>
GridFit fit_blocks(const float* values, const float* counts, std::size_t size, float per_step,
                   LevelRange levels) {
  GridFit fit;
  Block padded_values{};
  Block padded_counts{};
  for (std::size_t begin = 0; begin < size; begin += block_values) {
    const std::size_t part = std::min(block_values, size - begin);
    const float* block_counts = nullptr;
    if constexpr (is_counted) block_counts = whole_rows(counts + begin, part, padded_counts);
    add_rows<is_counted>(whole_rows(values + begin, part, padded_values), block_counts,
                         (part + partial_sums - 1) / partial_sums, per_step, levels, fit);
  }
  return fit;
}

// `counts` null: once each.
GridFit fit_values(const float* values, const float* counts, std::size_t size, float per_step,
                   LevelRange levels) {
  return counts == nullptr ? fit_blocks<false>(values, counts, size, per_step, levels)
                           : fit_blocks<true>(values, counts, size, per_step, levels);
}

}  // namespace ocs::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ocs {

HWY_EXPORT(fit_values);

GridFit vector_grid_fit(std::span<const float> values, std::span<const float> counts,
                        float per_step, LevelRange levels) {
  return HWY_DYNAMIC_DISPATCH(fit_values)(values.data(), counts.empty() ? nullptr : counts.data(),
                                          values.size(), per_step, levels);
}

}  // namespace ocs
#endif
