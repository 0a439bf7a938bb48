#include "ocs/data/image.h"

#include <algorithm>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

bool starts_with(std::span<const std::uint8_t> bytes,
                 std::initializer_list<std::uint8_t> signature) {
  return bytes.size() >= signature.size() &&
         std::equal(signature.begin(), signature.end(), bytes.begin());
}

}  // namespace

Image decode_image(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) throw_bad_input("the file is empty");
  if (starts_with(bytes, {0xFF, 0xD8, 0xFF})) return decode_jpeg(bytes);
  if (starts_with(bytes, {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A})) return decode_png(bytes);
  if (starts_with(bytes, {'P', '5'}) || starts_with(bytes, {'P', '6'})) return decode_ppm(bytes);
  throw_bad_input("not an image that can be read (JPEG, PNG, or binary PPM or PGM)");
}

Image blank_rgb(std::int64_t width, std::int64_t height) {
  if (width <= 0 || height <= 0)
    throw_bad_input(fmt::format("an image of {}x{} pixels", width, height));
  if (width > most_pixels / height) {
    throw_bad_input(fmt::format("an image of {}x{} pixels; the limit is {} pixels", width, height,
                                most_pixels));
  }
  return {.width = static_cast<int>(width),
          .height = static_cast<int>(height),
          .channels = 3,
          .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
}

Image to_gray(const Image& rgb) {
  Image gray{.width = rgb.width, .height = rgb.height, .channels = 1, .pixels = {}};
  gray.pixels.reserve(rgb.pixels.size() / 3);
  for (std::size_t i = 0; i + 2 < rgb.pixels.size(); i += 3) {
    const std::uint32_t luma =
        19595U * rgb.pixels[i] + 38470U * rgb.pixels[i + 1] + 7471U * rgb.pixels[i + 2] + 0x8000U;
    gray.pixels.push_back(static_cast<std::uint8_t>(luma >> 16U));
  }
  return gray;
}

}  // namespace ocs
