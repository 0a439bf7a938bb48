// The text in the header of a .npy file: a Python dictionary literal,
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
// A small reader of that and nothing more; Python's own would accept far more.
#pragma once

#include <string>

#include "ocs/core/tensor.h"

namespace ocs {

struct NpyHeaderText {
  std::string descr{};
  bool is_fortran_order = false;
  Shape shape{};
};

// Throws Error(bad_input) with the place in the text. A descr that is a list (an array of records)
// is an error of its own.
[[nodiscard]] NpyHeaderText parse_npy_header_text(const std::string& text);

}  // namespace ocs
