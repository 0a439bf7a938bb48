// products.h for every instruction set: this file is compiled once for each, Highway picks at run time.
#include <algorithm>
#include <vector>

#include "ocs/quant/products.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ocs/quant/products_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ocs::products::HWY_NAMESPACE {  // NOLINT(google-build-namespaces): one namespace for each
                                          // instruction set
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

// A block of sums that stays in registers: 6 rows of two vectors are 12 of the 16 registers of AVX2.
constexpr std::size_t height = 6;

HWY_INLINE std::size_t block_width() { return 2 * hn::Lanes(Floats()); }

// Columns [begin, begin + width) of `rows` rows side by side, filled up with zeros. Rows are so short that a call
// for each would cost more than the copy.
void pack(const Columns& from, std::size_t begin, std::size_t width, std::size_t rows, float* to) {
  const std::size_t count = std::min(width, from.width - begin);
  const float* row_of = from.values + begin;
  const Floats floats;
  const std::size_t lanes = hn::Lanes(floats);
  if (count == width && width == block_width()) {
    for (std::size_t row = 0; row < rows; ++row, to += width, row_of += from.stride) {
      hn::StoreU(hn::LoadU(floats, row_of), floats, to);
      hn::StoreU(hn::LoadU(floats, row_of + lanes), floats, to + lanes);
    }
    return;
  }
  if (count == width && width == height) {
    for (std::size_t row = 0; row < rows; ++row, to += width, row_of += from.stride)
      for (std::size_t i = 0; i < height; ++i) to[i] = row_of[i];
    return;
  }
  for (std::size_t row = 0; row < rows; ++row, to += width, row_of += from.stride) {
    for (std::size_t i = 0; i < count; ++i) to[i] = row_of[i];
    for (std::size_t i = count; i < width; ++i) to[i] = 0.0F;
  }
}

HWY_INLINE void add_to(float* sums, hn::Vec<Floats> value0, hn::Vec<Floats> value1) {
  const Floats floats;
  float* second = sums + hn::Lanes(floats);
  hn::StoreU(hn::Add(hn::LoadU(floats, sums), value0), floats, sums);
  hn::StoreU(hn::Add(hn::LoadU(floats, second), value1), floats, second);
}

// `left`: rows of 6, `right`: rows of two vectors.
void add_block(const float* left, const float* right, std::size_t rows, float* sums,
               std::size_t stride) {
  const Floats floats;
  const std::size_t width = hn::Lanes(floats);
  const auto zero = hn::Zero(floats);
  auto sum00 = zero, sum01 = zero, sum10 = zero, sum11 = zero, sum20 = zero, sum21 = zero;
  auto sum30 = zero, sum31 = zero, sum40 = zero, sum41 = zero, sum50 = zero, sum51 = zero;
  for (std::size_t row = 0; row < rows; ++row, left += height, right += 2 * width) {
    const auto right0 = hn::LoadU(floats, right);
    const auto right1 = hn::LoadU(floats, right + width);
    const auto left0 = hn::Set(floats, left[0]);
    sum00 = hn::MulAdd(left0, right0, sum00);
    sum01 = hn::MulAdd(left0, right1, sum01);
    const auto left1 = hn::Set(floats, left[1]);
    sum10 = hn::MulAdd(left1, right0, sum10);
    sum11 = hn::MulAdd(left1, right1, sum11);
    const auto left2 = hn::Set(floats, left[2]);
    sum20 = hn::MulAdd(left2, right0, sum20);
    sum21 = hn::MulAdd(left2, right1, sum21);
    const auto left3 = hn::Set(floats, left[3]);
    sum30 = hn::MulAdd(left3, right0, sum30);
    sum31 = hn::MulAdd(left3, right1, sum31);
    const auto left4 = hn::Set(floats, left[4]);
    sum40 = hn::MulAdd(left4, right0, sum40);
    sum41 = hn::MulAdd(left4, right1, sum41);
    const auto left5 = hn::Set(floats, left[5]);
    sum50 = hn::MulAdd(left5, right0, sum50);
    sum51 = hn::MulAdd(left5, right1, sum51);
  }
  add_to(sums, sum00, sum01);
  add_to(sums + stride, sum10, sum11);
  add_to(sums + 2 * stride, sum20, sum21);
  add_to(sums + 3 * stride, sum30, sum31);
  add_to(sums + 4 * stride, sum40, sum41);
  add_to(sums + 5 * stride, sum50, sum51);
}

// A block at the edge, by way of one that is whole.
void add_edge(const float* left, const float* right, std::size_t rows, std::size_t kept_rows,
              std::size_t kept_columns, float* sums, std::size_t stride) {
  const std::size_t width = block_width();
  std::vector<float> block(height * width, 0.0F);
  add_block(left, right, rows, block.data(), width);
  for (std::size_t i = 0; i < kept_rows; ++i)
    for (std::size_t j = 0; j < kept_columns; ++j) sums[i * stride + j] += block[i * width + j];
}

void add_products(const Columns& left, const Columns& right, std::size_t rows, float* sums,
                  std::size_t stride) {
  const std::size_t width = block_width();
  const std::size_t most_rows = std::min(rows, rows_of_a_block);
  const std::size_t panels = (right.width + width - 1) / width;
  std::vector<float> left_panel(most_rows * height);
  std::vector<float> right_panels(most_rows * width * panels);
  for (std::size_t begin = 0; begin < rows; begin += rows_of_a_block) {
    const std::size_t count = std::min(rows_of_a_block, rows - begin);
    const Columns a{left.values + begin * left.stride, left.width, left.stride};
    const Columns b{right.values + begin * right.stride, right.width, right.stride};
    for (std::size_t panel = 0; panel < panels; ++panel)
      pack(b, panel * width, width, count, right_panels.data() + panel * count * width);
    for (std::size_t i = 0; i < a.width; i += height) {
      pack(a, i, height, count, left_panel.data());
      for (std::size_t panel = 0; panel < panels; ++panel) {
        const float* right_panel = right_panels.data() + panel * count * width;
        const std::size_t j = panel * width;
        float* to = sums + i * stride + j;
        if (i + height <= a.width && j + width <= b.width)
          add_block(left_panel.data(), right_panel, count, to, stride);
        else
          add_edge(left_panel.data(), right_panel, count, std::min(height, a.width - i),
                   std::min(width, b.width - j), to, stride);
      }
    }
  }
}

bool fuses() { return HWY_NATIVE_FMA != 0; }

}  // namespace ocs::products::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ocs::products {

HWY_EXPORT(add_products);
HWY_EXPORT(fuses);

void add_product(const Columns& left, const Columns& right, std::size_t rows, float* sums,
                 std::size_t stride) {
  HWY_DYNAMIC_DISPATCH(add_products)(left, right, rows, sums, stride);
}

bool is_fused() { return HWY_DYNAMIC_DISPATCH(fuses)(); }

}  // namespace ocs::products
#endif
