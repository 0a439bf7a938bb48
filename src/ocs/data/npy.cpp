#include "ocs/data/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/data/npy_header_text.h"

namespace ocs {
namespace {

static_assert(std::endian::native == std::endian::little,
              "byte orders are told apart for little-endian machines");

struct TypeRow {
  char kind;  // as in the descr: f, i, u, b
  int size;
  NpyType type;
};
constexpr std::array<TypeRow, 12> types{{{'f', 2, NpyType::float16},
                                         {'f', 4, NpyType::float32},
                                         {'f', 8, NpyType::float64},
                                         {'i', 1, NpyType::int8},
                                         {'i', 2, NpyType::int16},
                                         {'i', 4, NpyType::int32},
                                         {'i', 8, NpyType::int64},
                                         {'u', 1, NpyType::uint8},
                                         {'u', 2, NpyType::uint16},
                                         {'u', 4, NpyType::uint32},
                                         {'u', 8, NpyType::uint64},
                                         {'b', 1, NpyType::boolean}}};

std::size_t size_of(NpyType type) {
  return static_cast<std::size_t>(std::ranges::find(types, type, &TypeRow::type)->size);
}

// descr: byte order (< > | =), kind, size; as "<f4".
void read_descr(NpyHeader& header, const std::string& descr) {
  if (descr.find('O') != std::string::npos) {
    throw_bad_input("an array of Python objects; save an array of numbers instead");
  }
  for (const TypeRow& row : types) {
    if (descr.size() != 3 || descr[1] != row.kind || descr[2] - '0' != row.size) continue;
    if (std::string_view("<>|=").find(descr[0]) == std::string_view::npos) continue;
    header.type = row.type;
    header.is_swapped = descr[0] == '>' && row.size > 1;
    return;
  }
  throw_bad_input("an array with elements '" + descr + "', which no model takes");
}

std::uint64_t element_count_of(const NpyHeader& header) {
  return static_cast<std::uint64_t>(element_count(header.shape));
}

template <typename Stored>
Stored load(const std::uint8_t* at, bool is_swapped) {
  std::array<std::uint8_t, sizeof(Stored)> raw{};
  std::copy_n(at, sizeof(Stored), raw.begin());
  if (is_swapped) std::ranges::reverse(raw);
  return std::bit_cast<Stored>(raw);
}

template <typename Stored, typename Held, typename Convert>
std::vector<Held> convert(std::span<const std::uint8_t> raw, bool is_swapped, Convert&& one) {
  std::vector<Held> values(raw.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = one(load<Stored>(raw.data() + i * sizeof(Stored), is_swapped));
  }
  return values;
}

template <typename T>
std::vector<T> same(std::span<const std::uint8_t> raw, bool is_swapped) {
  if (is_swapped) return convert<T, T>(raw, is_swapped, [](T value) { return value; });
  std::vector<T> values(raw.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), raw.data(), values.size() * sizeof(T));
  return values;
}

Values values_of(const NpyHeader& header, std::span<const std::uint8_t> raw) {
  const bool swapped = header.is_swapped;
  switch (header.type) {
    case NpyType::float16:
      return convert<std::uint16_t, float>(raw, swapped, from_half);
    case NpyType::float32:
      return same<float>(raw, swapped);
    case NpyType::float64:
      return same<double>(raw, swapped);
    case NpyType::int8:
      return same<std::int8_t>(raw, swapped);
    case NpyType::int16:
      return same<std::int16_t>(raw, swapped);
    case NpyType::int32:
      return same<std::int32_t>(raw, swapped);
    case NpyType::int64:
      return same<std::int64_t>(raw, swapped);
    case NpyType::uint8:
      return same<std::uint8_t>(raw, swapped);
    case NpyType::uint16:
      return same<std::uint16_t>(raw, swapped);
    case NpyType::uint32:
      return convert<std::uint32_t, std::int64_t>(
          raw, swapped, [](std::uint32_t value) { return std::int64_t{value}; });
    case NpyType::uint64:
      return convert<std::uint64_t, std::int64_t>(raw, swapped, [](std::uint64_t value) {
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
          throw_bad_input(fmt::format("value {} is above the range of int64", value));
        }
        return static_cast<std::int64_t>(value);
      });
    case NpyType::boolean:
      return convert<std::uint8_t, Boolean>(
          raw, swapped, [](std::uint8_t value) { return value == 0 ? Boolean::no : Boolean::yes; });
  }
  throw_internal("element type of an array file without a row");
}

// Rows of an array whose first index runs fastest. Element (i0, i1, ..) lies at i0 + n0 * (i1 + n1
// * (i2 + ..)), so the rows of one (i1, i2, ..) lie side by side.
std::vector<std::uint8_t> gather_fortran_rows(const Bytes& bytes, const NpyHeader& header,
                                              std::int64_t first, std::int64_t count) {
  const std::size_t size = size_of(header.type);
  const auto rows = static_cast<std::uint64_t>(header.shape[0]);
  const std::uint64_t inner = rows == 0 ? 0 : element_count_of(header) / rows;
  const auto taken = static_cast<std::uint64_t>(count);
  // A whole array is read at once; of a part, a few bytes at a time.
  const Bytes source =
      taken == rows ? bytes_of_memory(read_part(bytes, header.data_offset, inner * rows * size))
                    : part_of(bytes, header.data_offset, inner * rows * size);
  std::vector<std::uint8_t> gathered(inner * taken * size);
  std::vector<std::uint8_t> column(taken * size);
  std::vector<std::uint64_t> index(header.shape.size(),
                                   0);  // of the element to fill, in C order; [0] unused
  for (std::uint64_t i = 0; i < inner; ++i) {
    std::uint64_t column_number = 0;
    for (std::size_t axis = index.size(); axis-- > 1;) {
      column_number = column_number * static_cast<std::uint64_t>(header.shape[axis]) + index[axis];
    }
    source.read((column_number * rows + static_cast<std::uint64_t>(first)) * size, column);
    for (std::uint64_t row = 0; row < taken; ++row) {
      std::copy_n(column.data() + row * size, size, gathered.data() + (row * inner + i) * size);
    }
    for (std::size_t axis = index.size(); axis-- > 1;) {
      if (++index[axis] < static_cast<std::uint64_t>(header.shape[axis])) break;
      index[axis] = 0;
    }
  }
  return gathered;
}

}  // namespace

NpyHeader read_npy_header(const Bytes& bytes) {
  constexpr std::array<std::uint8_t, 6> magic{0x93, 'N', 'U', 'M', 'P', 'Y'};
  constexpr std::uint64_t longest_header = 65536;
  if (bytes.size < 10) throw_bad_input(fmt::format("not a .npy file: {} bytes", bytes.size));
  std::array<std::uint8_t, 12> start{};
  bytes.read(0, std::span(start).first(10));
  if (!std::equal(magic.begin(), magic.end(), start.begin())) throw_bad_input("not a .npy file");
  const int version = start[6];
  if (version < 1 || version > 3)
    throw_bad_input(fmt::format("a .npy file of version {}; 1 to 3 are known", version));
  const std::uint64_t fixed = version == 1 ? 10 : 12;
  std::uint64_t length = load<std::uint16_t>(start.data() + 8, false);
  if (version > 1) {
    bytes.read(0, start);
    length = load<std::uint32_t>(start.data() + 8, false);
  }
  if (length > longest_header)
    throw_bad_input(fmt::format("damaged .npy file: a header of {} bytes", length));
  const std::vector<std::uint8_t> raw = read_part(bytes, fixed, length);
  const NpyHeaderText text = parse_npy_header_text(std::string(raw.begin(), raw.end()));

  NpyHeader header{.is_fortran_order = text.is_fortran_order,
                   .shape = text.shape,
                   .data_offset = fixed + length};
  read_descr(header, text.descr);
  const std::uint64_t available = (bytes.size - header.data_offset) / size_of(header.type);
  if (element_count_of(header) > available) {
    throw_bad_input(fmt::format("the file is cut off: {} elements for the shape {}, {} are there",
                                element_count_of(header), to_string(header.shape), available));
  }
  return header;
}

Tensor read_npy_rows(const Bytes& bytes, const NpyHeader& header, std::int64_t first,
                     std::int64_t count) {
  Shape shape = header.shape;
  if (shape.empty()) {
    return {
        .shape = {},
        .values = values_of(header, read_part(bytes, header.data_offset, size_of(header.type)))};
  }
  shape[0] = count;
  if (header.is_fortran_order && shape.size() > 1) {
    return {.shape = shape,
            .values = values_of(header, gather_fortran_rows(bytes, header, first, count))};
  }
  const std::uint64_t rows = static_cast<std::uint64_t>(header.shape[0]);
  const std::uint64_t row_size =
      rows == 0 ? 0 : element_count_of(header) / rows * size_of(header.type);
  const std::vector<std::uint8_t> raw =
      read_part(bytes, header.data_offset + static_cast<std::uint64_t>(first) * row_size,
                row_size * static_cast<std::uint64_t>(count));
  return {.shape = shape, .values = values_of(header, raw)};
}

Tensor read_npy(const Bytes& bytes, const NpyHeader& header) {
  return read_npy_rows(bytes, header, 0, header.shape.empty() ? 1 : header.shape[0]);
}

float from_half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  const std::uint32_t exponent = (bits >> 10U) & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {  // zero and subnormals: fraction * 2^-24, exact in float
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign == 0 ? magnitude : -magnitude;
  }
  const std::uint32_t wide = exponent == 0x1FU ? 0xFFU : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide << 23U) | (fraction << 13U));
}

}  // namespace ocs
