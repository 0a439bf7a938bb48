#include "support/text_values.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/core/random.h"
#include "ocs/core/tensor.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

using Proto = onnx::TensorProto;

const std::map<std::string, Proto::DataType, std::less<>>& types() {
  static const std::map<std::string, Proto::DataType, std::less<>> all{
      {"float", Proto::FLOAT},       {"double", Proto::DOUBLE}, {"float16", Proto::FLOAT16},
      {"bfloat16", Proto::BFLOAT16}, {"int64", Proto::INT64},   {"int32", Proto::INT32},
      {"int16", Proto::INT16},       {"int8", Proto::INT8},     {"uint8", Proto::UINT8},
      {"uint16", Proto::UINT16},     {"uint32", Proto::UINT32}, {"uint64", Proto::UINT64},
      {"bool", Proto::BOOL},         {"string", Proto::STRING}};
  return all;
}

Proto::DataType data_type(TokenReader& reader) {
  const auto found = types().find(reader.peek().text);
  if (found == types().end()) reader.fail("a type");
  reader.take();
  return found->second;
}

std::vector<double> list_of_numbers(TokenReader& reader) {
  std::vector<double> values;
  reader.expect("{");
  while (!reader.take_if("}")) {
    values.push_back(read_number(reader));
    if (!reader.next_is("}")) reader.expect(",");
  }
  return values;
}

std::vector<double> values_of(TokenReader& reader, std::size_t count) {
  if (reader.next_is("{")) return list_of_numbers(reader);
  std::vector<double> values(count);
  if (reader.take_if("zeros")) return values;
  if (reader.take_if("ones")) return std::vector<double>(count, 1.0);
  if (reader.take_if("range")) {
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<double>(i);
    return values;
  }
  if (!reader.take_if("random")) reader.fail("values");
  Random random(static_cast<std::uint64_t>(read_integer(reader)));
  const double scale = reader.take_if("*") ? read_number(reader) : 1.0;
  for (double& value : values) value = scale * random.normal();
  return values;
}

template <typename T>
Tensor tensor_of(const Shape& shape, const std::vector<double>& values) {
  std::vector<T> converted;
  for (const double value : values) {
    if constexpr (std::is_same_v<T, Boolean>) {
      converted.push_back(value != 0.0 ? Boolean::yes : Boolean::no);
    } else if constexpr (std::is_floating_point_v<T>) {
      converted.push_back(static_cast<T>(value));
    } else {
      const double level = std::nearbyint(value);  // random integers: rounded normals
      if (level < static_cast<double>(std::numeric_limits<T>::min()) ||
          level > static_cast<double>(std::numeric_limits<T>::max()))
        throw_bad_input("text model: a value does not fit its type");
      // The largest of 64 bits is no double, but the one above it.
      constexpr T largest = std::numeric_limits<T>::max();
      converted.push_back(level >= static_cast<double>(largest) ? largest : static_cast<T>(level));
    }
  }
  return {.shape = shape, .values = std::move(converted)};
}

// The upper half of a float; the value must be exact in it.
std::int32_t bfloat_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0xFFFFU) != 0) throw_bad_input("text model: a value is no bfloat16");
  return static_cast<std::int32_t>(bits >> 16U);
}

// Searched, not computed, by the reader that it is to be read with: slow, but no second formula to
// get wrong.
std::int32_t half_bits(float value) {
  static const std::vector<float> all = [] {
    Proto proto;
    proto.set_data_type(Proto::FLOAT16);
    proto.add_dims(65536);
    for (std::int32_t bits = 0; bits < 65536; ++bits) proto.add_int32_data(bits);
    return std::get<std::vector<float>>(to_tensor(proto).values);
  }();
  for (std::size_t bits = 0; bits < all.size(); ++bits)
    if (std::bit_cast<std::uint32_t>(all[bits]) == std::bit_cast<std::uint32_t>(value))
      return static_cast<std::int32_t>(bits);
  throw_bad_input("text model: a value is no float16");
}

Proto half_proto(Proto::DataType type, const Shape& shape, const std::vector<double>& values) {
  Proto proto;
  proto.set_data_type(type);
  proto.mutable_dims()->Assign(shape.begin(), shape.end());
  for (const double value : values) {
    const auto narrow = static_cast<float>(value);
    proto.add_int32_data(type == Proto::FLOAT16 ? half_bits(narrow) : bfloat_bits(narrow));
  }
  return proto;
}

Proto proto_of(Proto::DataType type, const Shape& shape, const std::vector<double>& values) {
  switch (type) {
    case Proto::FLOAT:
      return to_proto(tensor_of<float>(shape, values), "");
    case Proto::DOUBLE:
      return to_proto(tensor_of<double>(shape, values), "");
    case Proto::INT64:
      return to_proto(tensor_of<std::int64_t>(shape, values), "");
    case Proto::INT32:
      return to_proto(tensor_of<std::int32_t>(shape, values), "");
    case Proto::INT16:
      return to_proto(tensor_of<std::int16_t>(shape, values), "");
    case Proto::INT8:
      return to_proto(tensor_of<std::int8_t>(shape, values), "");
    case Proto::UINT8:
      return to_proto(tensor_of<std::uint8_t>(shape, values), "");
    case Proto::UINT16:
      return to_proto(tensor_of<std::uint16_t>(shape, values), "");
    case Proto::BOOL:
      return to_proto(tensor_of<Boolean>(shape, values), "");
    case Proto::FLOAT16:
    case Proto::BFLOAT16:
      return half_proto(type, shape, values);
    default:
      throw_bad_input("text model: no values of this type can be written");
  }
}

}  // namespace

bool is_type_name(std::string_view word) { return types().contains(word); }

bool is_integer(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size();
}

std::int64_t read_integer(TokenReader& reader) {
  if (!is_integer(reader.peek().text)) reader.fail("an integer");
  return std::stoll(reader.take().text);
}

double read_number(TokenReader& reader) {
  const std::string& text = reader.peek().text;
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (reader.peek().kind != Token::Kind::word || error != std::errc{} ||
      end != text.data() + text.size())
    reader.fail("a number");
  reader.take();
  return value;
}

onnx::TypeProto read_type(TokenReader& reader) {
  onnx::TypeProto type;
  auto& tensor = *type.mutable_tensor_type();
  tensor.set_elem_type(data_type(reader));
  if (!reader.take_if("[")) return type;
  auto& shape = *tensor.mutable_shape();
  while (!reader.take_if("]")) {
    auto& extent = *shape.add_dim();
    if (is_integer(reader.peek().text)) {
      extent.set_dim_value(read_integer(reader));
    } else if (!reader.take_if("?")) {
      extent.set_dim_param(reader.name());
    }
    if (!reader.next_is("]")) reader.expect(",");
  }
  return type;
}

onnx::TensorProto read_tensor(TokenReader& reader, const std::string& name) {
  const Proto::DataType type = data_type(reader);
  Shape shape;
  reader.expect("[");
  while (!reader.take_if("]")) {
    shape.push_back(read_integer(reader));
    if (!reader.next_is("]")) reader.expect(",");
  }
  const auto count = static_cast<std::size_t>(element_count(shape));
  const std::vector<double> values = values_of(reader, count);
  if (values.size() != count)
    throw_bad_input("text model: '" + name + "' has not as many values as its shape asks for");
  Proto proto = proto_of(type, shape, values);
  proto.set_name(name);
  return proto;
}

}  // namespace ocs
