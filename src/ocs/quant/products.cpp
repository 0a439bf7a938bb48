#include "ocs/quant/products.h"

#include <algorithm>
#include <cmath>

namespace ocs::products {

void add_product_scalar(const Columns& left, const Columns& right, std::size_t rows, float* sums,
                        std::size_t stride, bool fused) {
  for (std::size_t i = 0; i < left.width; ++i) {
    for (std::size_t j = 0; j < right.width; ++j) {
      for (std::size_t begin = 0; begin < rows; begin += rows_of_a_block) {
        const std::size_t end = std::min(begin + rows_of_a_block, rows);
        float sum = 0.0F;
        for (std::size_t row = begin; row < end; ++row) {
          const float a = left.values[row * left.stride + i];
          const float b = right.values[row * right.stride + j];
          sum = fused ? std::fma(a, b, sum) : sum + a * b;
        }
        sums[i * stride + j] += sum;
      }
    }
  }
}

}  // namespace ocs::products
