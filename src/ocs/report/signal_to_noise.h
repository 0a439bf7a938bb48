// How close a quantized value is to the float one: 10 log10(sum ref^2 / sum (ref - value)^2), in
// decibels.
#pragma once

#include <span>
#include <vector>

#include "ocs/core/tensor.h"

namespace ocs {

// Sums over any number of values and samples; adding two of them is adding what they saw.
struct SignalToNoise {
  double signal = 0.0;     // sum of ref^2
  double noise = 0.0;      // sum of (ref - value)^2
  bool comparable = true;  // false once two tensors of different size met: there is no answer

  // Both in double, in a fixed order. Where the reference is not finite (the -inf of an
  // attention mask), an equal value counts as no difference and any other as an infinite one.
  void add(std::span<const float> reference, std::span<const float> value);
  void add(const SignalToNoise& other);
  // Within [-limit_db, limit_db]: the upper end for no difference at all, the lower one for noise
  // without end. NaN where nothing was comparable.
  [[nodiscard]] double db() const;

  static constexpr double limit_db = 200.0;  // float has about 150 dB
  bool operator==(const SignalToNoise&) const = default;
};

// The scores of one item: `classes` values that lie `stride` apart from `begin` on.
struct ClassRow {
  std::int64_t begin = 0;
  std::int64_t classes = 0;
  std::int64_t stride = 1;
};
// The rows of a tensor of class scores: the classes lie on the last axis, on axis 1 for tensors of four axes and more (images). None
// where there are fewer than two classes.
[[nodiscard]] std::vector<ClassRow> class_rows(std::span<const std::int64_t> shape);

// How many rows of a tensor of class scores have their largest value at the same place; ties go to
// the first.
struct SameTopOne {
  std::int64_t same = 0;
  std::int64_t rows = 0;

  // Adds nothing where the tensor has fewer than two classes or the sizes differ.
  void add(std::span<const std::int64_t> shape, std::span<const float> reference,
           std::span<const float> value);
  void add(const SameTopOne& other);
  [[nodiscard]] double percent() const;  // NaN without rows
  bool operator==(const SameTopOne&) const = default;
};

}  // namespace ocs
