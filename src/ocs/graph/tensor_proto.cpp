#include "ocs/graph/tensor_proto.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/external_data.h"

namespace ocs {
namespace {

static_assert(std::endian::native == std::endian::little,
              "raw_data is little-endian and is copied as it is");

using Proto = onnx::TensorProto;

std::string words_for(const Proto& proto) { return fmt::format("tensor '{}'", proto.name()); }

// Bits of one element; none for strings and for types that this build does not know. Types above 16
// came with later ONNX releases than the header: they are named by number.
std::optional<std::uint64_t> bits_of(std::int32_t type) {
  switch (type) {
    case Proto::INT8:
    case Proto::UINT8:
    case Proto::BOOL:
    case 17:
    case 18:
    case 19:
    case 20:
    case 24:
      return 8;  // float8 of five kinds
    case Proto::INT16:
    case Proto::UINT16:
    case Proto::FLOAT16:
    case Proto::BFLOAT16:
      return 16;
    case Proto::FLOAT:
    case Proto::INT32:
    case Proto::UINT32:
      return 32;
    case Proto::DOUBLE:
    case Proto::INT64:
    case Proto::UINT64:
    case Proto::COMPLEX64:
      return 64;
    case Proto::COMPLEX128:
      return 128;
    case 21:
    case 22:
    case 23:
      return 4;  // uint4, int4, float4
    case 25:
    case 26:
      return 2;  // uint2, int2
    default:
      return std::nullopt;
  }
}

// Under this key the external data of a float tensor say that their bytes are still of a half-width
// type (widen_external): its number.
constexpr std::string_view stored_type_key = "ocs.stored_type";

std::int32_t stored_type(const Proto& proto) {
  if (proto.data_location() != Proto::EXTERNAL || proto.data_type() != Proto::FLOAT)
    return proto.data_type();
  for (const auto& entry : proto.external_data())
    if (entry.key() == stored_type_key)
      return entry.value() == std::to_string(Proto::BFLOAT16) ? Proto::BFLOAT16 : Proto::FLOAT16;
  return proto.data_type();
}

std::optional<std::uint64_t> bytes_of(const Proto& proto) {
  const auto bits = bits_of(stored_type(proto));
  if (!bits) return std::nullopt;
  const auto count = static_cast<std::uint64_t>(element_count(shape_of(proto)));
  if (count > std::numeric_limits<std::uint64_t>::max() / *bits) throw_bad_input("it is too large");
  return (count * *bits + 7) / 8;
}

// IEEE half to float: exponent and fraction move, subnormals are scaled by hand.
float widen_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1.0p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1FU ? 0xFFU : exponent + 112U;
  return std::bit_cast<float>(sign | (wide << 23U) | (fraction << 13U));
}

float widen_bfloat(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16U);
}

// Values in the typed fields; none for types that pack several into one.
std::optional<std::int64_t> typed_values(const Proto& proto) {
  switch (proto.data_type()) {
    case Proto::FLOAT:
      return proto.float_data_size();
    case Proto::DOUBLE:
      return proto.double_data_size();
    case Proto::INT64:
      return proto.int64_data_size();
    case Proto::UINT32:
    case Proto::UINT64:
      return proto.uint64_data_size();
    case Proto::STRING:
      return proto.string_data_size();
    default:
      break;
  }
  const auto bits = bits_of(proto.data_type());
  if (!bits || *bits < 8 || *bits > 32) return std::nullopt;
  return proto.int32_data_size();
}

ExternalRange range_of(const Proto& proto, const std::filesystem::path& folder) {
  return external_range(proto, folder, bytes_of(proto));
}

// All values of an external tensor, read into their place.
template <typename T>
std::vector<T> from_file(const ExternalRange& range, std::int64_t count) {
  const auto size = static_cast<std::size_t>(count);
  if (range.length != size * sizeof(T)) throw_bad_input("external data: a type of another width");
  std::vector<T> values(size);
  read_external(range, 0, std::as_writable_bytes(std::span(values)));
  return values;
}

template <typename T>
std::vector<T> from_bytes(std::string_view bytes, std::int64_t count) {
  if (bytes.size() % sizeof(T) != 0 ||
      bytes.size() / sizeof(T) != static_cast<std::size_t>(count)) {
    throw_bad_input(
        fmt::format("it holds {} bytes where its type and shape ask for {} values of {} bytes",
                    bytes.size(), count, sizeof(T)));
  }
  std::vector<T> values(static_cast<std::size_t>(count));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

template <typename T, typename Field>
std::vector<T> from_field(const Field& field, std::int64_t count) {
  if (field.size() != count)
    throw_bad_input(
        fmt::format("it holds {} values where its shape asks for {}", field.size(), count));
  std::vector<T> values;
  values.reserve(static_cast<std::size_t>(count));
  for (const auto value : field) {
    if constexpr (sizeof(T) < sizeof(value)) {
      if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
        throw_bad_input(fmt::format("it holds {}, which is no {}", value,
                                    name_of(detail::element_type_of<T>())));
      }
    }
    values.push_back(static_cast<T>(value));
  }
  return values;
}

std::vector<Boolean> to_booleans(const std::vector<std::uint8_t>& bytes) {
  std::vector<Boolean> values;
  values.reserve(bytes.size());
  for (const std::uint8_t byte : bytes) values.push_back(byte != 0 ? Boolean::yes : Boolean::no);
  return values;
}

template <float (*widen)(std::uint16_t)>
std::vector<float> to_floats(const std::vector<std::uint16_t>& halves) {
  std::vector<float> values;
  values.reserve(halves.size());
  for (const std::uint16_t half : halves) values.push_back(widen(half));
  return values;
}

Values values_of(const Proto& proto, const std::filesystem::path& folder) {
  const std::int64_t count = element_count(shape_of(proto));
  const bool is_external = proto.data_location() == Proto::EXTERNAL;
  const auto read = [&]<typename T>(const auto& field) {
    if (is_external) return from_file<T>(range_of(proto, folder), count);
    return proto.raw_data().empty() ? from_field<T>(field, count)
                                    : from_bytes<T>(proto.raw_data(), count);
  };
  const auto& small = proto.int32_data();
  switch (stored_type(proto)) {
    case Proto::FLOAT:
      return read.operator()<float>(proto.float_data());
    case Proto::DOUBLE:
      return read.operator()<double>(proto.double_data());
    case Proto::INT64:
      return read.operator()<std::int64_t>(proto.int64_data());
    case Proto::INT32:
      return read.operator()<std::int32_t>(small);
    case Proto::INT16:
      return read.operator()<std::int16_t>(small);
    case Proto::INT8:
      return read.operator()<std::int8_t>(small);
    case Proto::UINT16:
      return read.operator()<std::uint16_t>(small);
    case Proto::UINT8:
      return read.operator()<std::uint8_t>(small);
    case Proto::BOOL:
      return to_booleans(read.operator()<std::uint8_t>(small));
    case Proto::FLOAT16:
      return to_floats<widen_half>(read.operator()<std::uint16_t>(small));
    case Proto::BFLOAT16:
      return to_floats<widen_bfloat>(read.operator()<std::uint16_t>(small));
    default:
      break;
  }
  throw_unsupported(fmt::format("element type {} cannot be computed with", proto.data_type()));
}

template <typename T>
constexpr Proto::DataType data_type_of() {
  switch (detail::element_type_of<T>()) {
    case ElementType::float32:
      return Proto::FLOAT;
    case ElementType::float64:
      return Proto::DOUBLE;
    case ElementType::int64:
      return Proto::INT64;
    case ElementType::int32:
      return Proto::INT32;
    case ElementType::int16:
      return Proto::INT16;
    case ElementType::int8:
      return Proto::INT8;
    case ElementType::uint16:
      return Proto::UINT16;
    case ElementType::uint8:
      return Proto::UINT8;
    case ElementType::boolean:
      return Proto::BOOL;
  }
  return Proto::UNDEFINED;
}

}  // namespace

Tensor to_tensor(const Proto& proto, const std::filesystem::path& folder) {
  return while_doing(words_for(proto), [&] {
    return Tensor{.shape = shape_of(proto), .values = values_of(proto, folder)};
  });
}

std::span<float> floats_in(Proto& proto, const std::filesystem::path& folder) {
  const bool is_in_place = proto.data_type() == Proto::FLOAT && !proto.raw_data().empty() &&
                           proto.data_location() != Proto::EXTERNAL;
  if (is_in_place) {
    check_size(proto);
  } else {
    const Tensor tensor = to_tensor(proto, folder);
    (void)tensor.as<float>();
    proto = to_proto(tensor, proto.name());
  }
  std::string& bytes = *proto.mutable_raw_data();
  // What std::string allocates is aligned for any type, and so is the room in a short one.
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

void load_external_data(Proto& proto, const std::filesystem::path& folder) {
  if (proto.data_location() != Proto::EXTERNAL) return;
  if (is_widened_external(proto)) {
    proto = to_proto(to_tensor(proto, folder), proto.name());
    return;
  }
  while_doing(words_for(proto), [&] {
    const ExternalRange range = range_of(proto, folder);
    std::string bytes(range.length, '\0');
    read_external(range, 0, std::as_writable_bytes(std::span(bytes)));
    proto.set_raw_data(std::move(bytes));
  });
  proto.clear_external_data();
  proto.clear_data_location();
}

std::uint64_t external_size(const Proto& proto, const std::filesystem::path& folder) {
  if (proto.data_location() != Proto::EXTERNAL) return 0;
  return while_doing(words_for(proto), [&] { return range_of(proto, folder).length; });
}

void for_each_external_block(const Proto& proto, const std::filesystem::path& folder,
                             const std::function<void(std::span<const std::byte>)>& visit) {
  while_doing(words_for(proto), [&] {
    constexpr std::uint64_t largest = std::uint64_t{1} << 22U;
    const ExternalRange range = range_of(proto, folder);
    std::vector<std::byte> block(std::min(largest, range.length));
    for (std::uint64_t start = 0; start < range.length; start += block.size()) {
      const auto part = std::span(block).first(std::min(largest, range.length - start));
      read_external(range, start, part);
      visit(part);
    }
  });
}

void widen_external(Proto& proto) {
  auto* entry = proto.add_external_data();
  entry->set_key(std::string(stored_type_key));
  entry->set_value(std::to_string(proto.data_type()));
  proto.set_data_type(Proto::FLOAT);
}

bool is_widened_external(const Proto& proto) { return stored_type(proto) != proto.data_type(); }

Proto to_proto(const Tensor& tensor, const std::string& name) {
  Proto proto;
  proto.set_name(name);
  proto.mutable_dims()->Assign(tensor.shape.begin(), tensor.shape.end());
  std::visit(
      [&]<typename T>(const std::vector<T>& values) {
        proto.set_data_type(data_type_of<T>());
        // Moved in: given by address, protobuf copies the bytes twice.
        proto.set_raw_data(
            std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
      },
      tensor.values);
  return proto;
}

Proto to_packed_proto(const Tensor& integers, int bits) {
  if (bits == 8) return to_proto(integers, "");
  // Not in the header of old releases.
  constexpr std::int32_t int4 = 22;
  constexpr std::int32_t int2 = 26;
  if (bits != 4 && bits != 2) throw_internal(fmt::format("integers of {} bits", bits));
  const std::span<const std::int8_t> values = integers.as<std::int8_t>();
  const auto per_byte = static_cast<std::size_t>(8 / bits);
  const int highest = (1 << (bits - 1)) - 1;
  std::string bytes((values.size() + per_byte - 1) / per_byte, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > highest || values[i] < -highest - 1)
      throw_internal(fmt::format("the integer {} does not fit into {} bits", values[i], bits));
    const auto low_bits =
        static_cast<unsigned>(values[i]) & ((1U << static_cast<unsigned>(bits)) - 1U);
    const auto shift = static_cast<unsigned>(i % per_byte) * static_cast<unsigned>(bits);
    auto& byte = bytes[i / per_byte];
    byte = static_cast<char>(static_cast<unsigned char>(byte) | (low_bits << shift));
  }
  Proto proto;
  proto.set_data_type(bits == 4 ? int4 : int2);
  proto.mutable_dims()->Assign(integers.shape.begin(), integers.shape.end());
  proto.set_raw_data(std::move(bytes));
  return proto;
}

std::int64_t element_count(const Proto& proto) {
  return while_doing(words_for(proto), [&] { return element_count(shape_of(proto)); });
}

void check_size(const Proto& proto) {
  if (proto.data_location() == Proto::EXTERNAL) return;
  while_doing(words_for(proto), [&] {
    const std::int64_t count = element_count(shape_of(proto));
    if (!proto.raw_data().empty()) {
      const auto bytes = bytes_of(proto);
      if (!bytes || *bytes == proto.raw_data().size()) return;
      throw_bad_input(fmt::format("it holds {} bytes where its type and shape ask for {}",
                                  proto.raw_data().size(), *bytes));
    }
    const auto held = typed_values(proto);
    if (held && *held != count)
      throw_bad_input(fmt::format("it holds {} values where its shape asks for {}", *held, count));
  });
}

Shape shape_of(const Proto& proto) { return {proto.dims().begin(), proto.dims().end()}; }

}  // namespace ocs
