// Tensors of ONNX Runtime as ours. Used by the files of this folder alone; the only header that
// includes the runtime's (docs/adr/0004).
#pragma once

#include <optional>
#include <vector>

#define ORT_API_MANUAL_INIT  // an old library must give an Error, not a null pointer before main
#include <onnxruntime_cxx_api.h>

#include "ocs/core/tensor.h"

namespace ocs {

// What the runtime's type is to us: float for 16-bit floats; nothing for types that Tensor has not.
[[nodiscard]] std::optional<ElementType> element_type(ONNXTensorElementDataType type);

// A value of a run, widened where it holds 16-bit floats.
struct OutputValue {
  Shape shape{};
  std::vector<float> widened{};
  TensorView view{};  // its shape is still to be set: this struct may move until then
};
// Nothing for what is no tensor, or one of a type that Tensor has not.
[[nodiscard]] std::optional<OutputValue> output_value(const Ort::ConstValue& value);

}  // namespace ocs
