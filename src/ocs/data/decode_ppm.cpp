// Binary PPM (P6) and PGM (P5): https://netpbm.sourceforge.net/doc/ppm.html. Header: magic, width,
// height, greatest value, each behind white space, `#` starting a comment; one white space; then
// rows of one or two bytes a sample.
#include <cmath>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/data/image.h"

namespace ocs {
namespace {

bool is_space(std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

class Header {
 public:
  explicit Header(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  int number() {
    skip_space();
    int value = 0;
    const std::size_t begin = at_;
    for (; at_ < bytes_.size() && bytes_[at_] >= '0' && bytes_[at_] <= '9'; ++at_) {
      value = value * 10 + (bytes_[at_] - '0');
      if (value > 1'000'000) throw_bad_input("damaged PPM: a number in the header is too large");
    }
    if (at_ == begin) throw_bad_input("damaged PPM: a number is missing in the header");
    return value;
  }

  // What follows the one white space that ends the header.
  [[nodiscard]] std::span<const std::uint8_t> data() const {
    if (at_ >= bytes_.size() || !is_space(bytes_[at_]))
      throw_bad_input("damaged PPM: the header has no end");
    return bytes_.subspan(at_ + 1);
  }

 private:
  void skip_space() {
    for (; at_ < bytes_.size(); ++at_) {
      if (bytes_[at_] == '#') {
        while (at_ + 1 < bytes_.size() && bytes_[at_] != '\n' && bytes_[at_] != '\r') ++at_;
      } else if (!is_space(bytes_[at_])) {
        return;
      }
    }
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 2;  // behind the magic number
};

}  // namespace

Image decode_ppm(std::span<const std::uint8_t> bytes) {
  const bool is_colour = bytes[1] == '6';
  Header header(bytes);
  const int width = header.number();
  const int height = header.number();
  const int greatest = header.number();
  if (greatest < 1 || greatest > 65535)
    throw_bad_input(fmt::format("damaged PPM: greatest value {}", greatest));
  const std::span<const std::uint8_t> data = header.data();
  const std::size_t sample_size = greatest > 255 ? 2 : 1;
  const std::size_t samples = is_colour ? 3 : 1;
  Image image = blank_rgb(width, height);
  const std::size_t needed = image.pixels.size() / 3 * samples * sample_size;
  if (data.size() < needed) {
    throw_bad_input(
        fmt::format("damaged PPM: {} bytes of pixels, {} are needed", data.size(), needed));
  }
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::size_t at = (is_colour ? i : i / 3) * sample_size;
    const int value = sample_size == 1 ? data[at] : data[at] * 256 + data[at + 1];
    // Half to even, as PIL rounds.
    const double level = std::nearbyint(static_cast<double>(value) / greatest * 255.0);
    image.pixels[i] = static_cast<std::uint8_t>(std::min(level, 255.0));
  }
  return image;
}

}  // namespace ocs
