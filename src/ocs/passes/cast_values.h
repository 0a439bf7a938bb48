#pragma once

#include <cstdint>
#include <optional>

#include "ocs/core/tensor.h"

namespace ocs {

// Cast as ONNX defines it, to the element type `to` of onnx::TensorProto: floats to integers towards
// zero, all but zero to true. Nothing where a value lies outside the range of the new type, where
// ONNX leaves the result open, and for types that Values do not hold.
[[nodiscard]] std::optional<Values> cast_values(const Values& values, std::int64_t to);

}  // namespace ocs
