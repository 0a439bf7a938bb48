// NumPy's array files, versions 1 to 3 (numpy/lib/format.py): magic, version, length of the header,
// a Python dictionary with descr, fortran_order and shape, then the elements.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ocs/core/tensor.h"
#include "ocs/data/bytes.h"

namespace ocs {

enum class NpyType {
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  boolean,
};

struct NpyHeader {
  NpyType type = NpyType::float32;
  bool is_swapped = false;        // the elements have their highest byte first
  bool is_fortran_order = false;  // the first index runs fastest
  Shape shape{};
  std::uint64_t data_offset = 0;
};

// Throws Error(bad_input) for what is no such file, for elements that a tensor cannot hold (Python
// objects, text, complex, records), and where the file holds fewer elements than the shape asks
// for. Allocates nothing by sizes found in the file but the header (at most 64 KiB).
[[nodiscard]] NpyHeader read_npy_header(const Bytes& bytes);

// The rows [first, first + count) of axis 0, in C order; of an array without axes: all of it (first
// 0, count 1). float16 becomes float32 (exact), uint32 and uint64 become int64 (Error(bad_input)
// for a value above its range).
[[nodiscard]] Tensor read_npy_rows(const Bytes& bytes, const NpyHeader& header, std::int64_t first,
                                   std::int64_t count);
[[nodiscard]] Tensor read_npy(const Bytes& bytes, const NpyHeader& header);

// Half precision (IEEE 754 binary16) by its bits; exact.
[[nodiscard]] float from_half(std::uint16_t bits);

}  // namespace ocs
