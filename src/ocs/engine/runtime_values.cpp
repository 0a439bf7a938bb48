#include "ocs/engine/runtime_values.h"

#include <algorithm>

namespace ocs {
namespace {

template <typename Half>
std::vector<float> widen(const Half* values, std::size_t count) {
  std::vector<float> floats(count);
  std::transform(values, values + count, floats.begin(),
                 [](const Half& value) { return value.ToFloat(); });
  return floats;
}

}  // namespace

std::optional<ElementType> element_type(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return ElementType::float32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return ElementType::float64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return ElementType::int64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return ElementType::int32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
      return ElementType::int16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
      return ElementType::int8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
      return ElementType::uint16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return ElementType::uint8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return ElementType::boolean;
    default:
      return std::nullopt;
  }
}

std::optional<OutputValue> output_value(const Ort::ConstValue& value) {
  if (!value || !value.HasValue() || !value.IsTensor()) return std::nullopt;
  const auto info = value.GetTensorTypeAndShapeInfo();
  const ONNXTensorElementDataType stored = info.GetElementType();
  const std::optional<ElementType> type = element_type(stored);
  if (!type) return std::nullopt;
  OutputValue output{.shape = info.GetShape()};
  const void* data = value.GetTensorRawData();
  if (stored == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16)
    output.widened = widen(static_cast<const Ort::Float16_t*>(data), info.GetElementCount());
  if (stored == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16)
    output.widened = widen(static_cast<const Ort::BFloat16_t*>(data), info.GetElementCount());
  if (!output.widened.empty()) data = output.widened.data();
  output.view = {.type = *type, .data = data};
  return output;
}

}  // namespace ocs
