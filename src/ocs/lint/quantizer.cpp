#include "ocs/lint/quantizer.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

struct IntegerType {
  std::int32_t type = 0;
  std::string_view name{};
  int bits = 0;
  bool is_signed = false;
};

// Types 21, 22, 25 and 26 are younger than the protobuf that is compiled in.
constexpr std::array integer_types{
    IntegerType{2, "uint8", 8, false},   IntegerType{3, "int8", 8, true},
    IntegerType{4, "uint16", 16, false}, IntegerType{5, "int16", 16, true},
    IntegerType{6, "int32", 32, true},   IntegerType{21, "uint4", 4, false},
    IntegerType{22, "int4", 4, true},    IntegerType{25, "uint2", 2, false},
    IntegerType{26, "int2", 2, true},
};

const IntegerType* find_type(std::int32_t type) {
  const auto* const found = std::ranges::find(integer_types, type, &IntegerType::type);
  return found == integer_types.end() ? nullptr : found;
}

constexpr std::int32_t type_uint8 = 2;

std::string input_of(const onnx::NodeProto& node, int index) {
  return index < node.input_size() ? node.input(index) : std::string();
}

// The first value; 0 for types that Tensor does not hold (an int4 zero point).
double first_value(const std::vector<float>& values) {
  return values.empty() ? 0.0 : static_cast<double>(values.front());
}

std::vector<float> values_of(const onnx::TensorProto& proto, const std::filesystem::path& folder) {
  const IntegerType* type = find_type(proto.data_type());
  if (type != nullptr && type->bits < 8) return {};
  return to_floats(view(to_tensor(proto, folder)));
}

bool are_equal(const std::vector<float>& values) {
  return std::ranges::adjacent_find(values, std::ranges::not_equal_to()) == values.end();
}

bool is_one_value(const Shape& shape) {
  return shape.empty() || (shape.size() == 1 && shape.front() == 1);
}

}  // namespace

Quantizer quantizer_of(const onnx::NodeProto& node, const FindConstant& constant,
                       const std::filesystem::path& folder) {
  Quantizer result{.axis = int_attribute(node, "axis", 1),
                   .block_size = int_attribute(node, "block_size", 0)};
  const bool is_quantize = node.op_type() == "QuantizeLinear";
  const std::string zero_point = input_of(node, 2);
  result.has_zero_point = !zero_point.empty();
  if (const onnx::TensorProto* scale = constant(input_of(node, 1))) {
    result.scale_type = scale->data_type();
    result.scale_shape = shape_of(*scale);
    const std::vector<float> values = values_of(*scale, folder);
    result.is_uniform = are_equal(values);
    result.scale = first_value(values);
    if (result.scale_shape.size() <= 1) result.scales = values;
  } else {
    result.is_constant = false;
  }
  if (!result.has_zero_point) {
    const auto given = static_cast<std::int32_t>(int_attribute(node, "output_dtype", 0));
    if (is_quantize) result.type = given == 0 ? type_uint8 : given;
  } else if (const onnx::TensorProto* zero = constant(zero_point)) {
    result.type = zero->data_type();
    result.zero_point_shape = shape_of(*zero);
    const std::vector<float> values = values_of(*zero, folder);
    result.zero_point = static_cast<std::int64_t>(first_value(values));
    result.is_uniform = result.is_uniform && are_equal(values);
  } else {
    result.is_constant = false;
  }
  if (!is_quantize && result.type == 0) {
    if (const onnx::TensorProto* stored = constant(input_of(node, 0)))
      result.type = stored->data_type();
  }
  result.is_uniform = result.is_uniform && result.is_constant;
  result.has_one_scale = result.is_constant && is_one_value(result.scale_shape) &&
                         (!result.has_zero_point || is_one_value(result.zero_point_shape));
  return result;
}

IntegerRange range_of_type(std::int32_t type) {
  const IntegerType* found = find_type(type);
  if (found == nullptr || (found->bits != 8 && found->bits != 16)) return {};
  const std::int64_t levels = std::int64_t{1} << found->bits;
  return found->is_signed ? IntegerRange{-levels / 2, levels / 2 - 1} : IntegerRange{0, levels - 1};
}

int bits_of_type(std::int32_t type) {
  const IntegerType* found = find_type(type);
  return found == nullptr ? 0 : found->bits;
}

std::string_view type_name(std::int32_t type) {
  const IntegerType* found = find_type(type);
  return found == nullptr ? "?" : found->name;
}

}  // namespace ocs
