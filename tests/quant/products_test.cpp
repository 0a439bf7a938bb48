#include "ocs/quant/products.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "calibrate/values.h"
#include "ocs/core/random.h"

namespace ocs {
namespace {

struct Sizes {
  std::size_t rows = 1;
  std::size_t left = 1;
  std::size_t right = 1;
};

// Operands and sums are parts of wider matrices.
struct Trial {
  Sizes sizes{};
  std::vector<float> left{};
  std::vector<float> right{};
  std::vector<float> sums{};

  explicit Trial(const Sizes& of)
      : sizes(of),
        left(Random(1).normals(of.rows * (of.left + 2))),
        right(Random(2).normals(of.rows * (of.right + 3))),
        sums(Random(3).normals(of.left * (of.right + 1))) {}

  [[nodiscard]] products::Columns left_columns() const {
    return {.values = left.data() + 1, .width = sizes.left, .stride = sizes.left + 2};
  }
  [[nodiscard]] products::Columns right_columns() const {
    return {.values = right.data() + 2, .width = sizes.right, .stride = sizes.right + 3};
  }
};

TEST(Products, AreTheSameOnEveryInstructionSetThatFuses) {
  values::for_each_target([](const std::string& target) {
    for (const Sizes& sizes : {Sizes{1, 1, 1}, Sizes{3, 6, 32}, Sizes{7, 5, 31}, Sizes{256, 12, 64},
                               Sizes{257, 13, 65}, Sizes{600, 19, 100}, Sizes{0, 4, 4}}) {
      Trial quick(sizes);
      Trial slow(sizes);
      products::add_product(quick.left_columns(), quick.right_columns(), sizes.rows,
                            quick.sums.data(), sizes.right + 1);
      products::add_product_scalar(slow.left_columns(), slow.right_columns(), sizes.rows,
                                   slow.sums.data(), sizes.right + 1, products::is_fused());
      EXPECT_EQ(quick.sums, slow.sums)
          << target << ' ' << sizes.rows << ' ' << sizes.left << ' ' << sizes.right;
    }
  });
}

TEST(Products, AddWhatTheRowsGiveToWhatIsThere) {
  const std::vector<float> left{1, 2, 3, 4};             // two rows of two
  const std::vector<float> right{1, 0, -1, 2, 1, 0.5F};  // two rows of three
  std::vector<float> sums{100, 0, 0, 0, 0, 0};
  products::add_product({.values = left.data(), .width = 2, .stride = 2},
                        {.values = right.data(), .width = 3, .stride = 3}, 2, sums.data(), 3);
  EXPECT_EQ(sums, (std::vector<float>{107, 3, 0.5F, 10, 4, 0}));
}

}  // namespace
}  // namespace ocs
