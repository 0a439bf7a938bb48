// Slice and Concat of tensors at hand, as ONNX defines them.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ocs/core/tensor.h"

namespace ocs {

// What is taken along one axis: entries from, from + step, .. (to is not taken), negative bounds
// count from the end, bounds beyond the axis mean its ends.
struct AxisCut {
  std::int64_t axis = 0;  // negative counts from the end
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t step = 1;
};

// Nothing where an axis is out of range or cut twice, or a step is 0.
[[nodiscard]] std::optional<Tensor> sliced(const Tensor& tensor, std::span<const AxisCut> cuts);

// Nothing where types or the other extents differ, or the axis is out of range. At least one tensor.
[[nodiscard]] std::optional<Tensor> joined(std::span<const Tensor> tensors, std::int64_t axis);

}  // namespace ocs
