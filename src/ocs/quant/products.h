// The inner loop of second moments: sums of outer products of rows, in float and in one order for every
// instruction set that has fused multiply-adds.
#pragma once

#include <cstddef>

namespace ocs::products {

// Columns [0, width) of a row-major matrix whose rows lie `stride` apart.
struct Columns {
  const float* values = nullptr;
  std::size_t width = 0;
  std::size_t stride = 0;
};

// The order: rows in blocks of this many; the products of a block are added up from zero, row by row, then
// the block's sum is added to what is there.
constexpr std::size_t rows_of_a_block = 256;

// sums[i * stride + j] += sum over rows r of left(r, i) * right(r, j). Sums must not lie in the operands.
void add_product(const Columns& left, const Columns& right, std::size_t rows, float* sums,
                 std::size_t stride);
// The same, one by one. `fused`: each multiply-add rounds once.
void add_product_scalar(const Columns& left, const Columns& right, std::size_t rows, float* sums,
                        std::size_t stride, bool fused);

// Whether the multiply-adds of add_product round once on this processor: x86 since AVX2, NEON.
[[nodiscard]] bool is_fused();

}  // namespace ocs::products
