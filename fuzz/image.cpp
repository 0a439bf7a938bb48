// Images: three bytes for each pixel, or Error(bad_input).
#include "ocs/data/image.h"

#include <cstdint>
#include <cstdlib>

#include "ocs/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ocs;
  try {
    const Image image = decode_image({data, size});
    const std::int64_t pixels = std::int64_t{image.width} * image.height;
    if (pixels <= 0 || image.pixels.size() != static_cast<std::size_t>(pixels) * 3) std::abort();
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::bad_input) std::abort();
  }
  return 0;
}
