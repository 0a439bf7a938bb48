// Array files: a tensor of the size that the header says, or Error(bad_input). Rows read one by one
// are the whole.
#include "ocs/data/npy.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "ocs/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ocs;
  try {
    const Bytes bytes = bytes_of_memory({data, data + size});
    const NpyHeader header = read_npy_header(bytes);
    const Tensor tensor = read_npy(bytes, header);
    const std::vector<float> whole = to_floats(view(tensor));
    if (whole.size() != static_cast<std::size_t>(element_count(header.shape))) std::abort();
    if (header.shape.empty() || header.shape[0] > 64) return 0;
    std::size_t seen = 0;
    for (std::int64_t row = 0; row < header.shape[0]; ++row) {
      for (const float value : to_floats(view(read_npy_rows(bytes, header, row, 1)))) {
        const bool both_nan = value != value && whole[seen] != whole[seen];
        if (value != whole[seen] && !both_nan) std::abort();
        ++seen;
      }
    }
    if (seen != whole.size()) std::abort();
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::bad_input) std::abort();
  }
  return 0;
}
