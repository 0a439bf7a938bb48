// An image in memory, and the decoders that make one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ocs {

// Rows from the top, pixels from the left, the channels of a pixel side by side (RGB, or one gray).
struct Image {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<std::uint8_t> pixels{};
  bool operator==(const Image&) const = default;
};

// Larger images are refused: what such a file claims to hold may be a few bytes of a bomb. The
// limit is PIL's.
inline constexpr std::int64_t most_pixels = 178'956'970;

// Decodes JPEG, PNG or PPM/PGM (told apart by their first bytes) to 8-bit RGB, as PIL's
// convert("RGB") does: alpha is dropped, palettes are looked up, gray is repeated, CMYK has Adobe's
// polarity, orientation tags are not applied. 16-bit samples keep their high byte. Data that is cut
// off or damaged is an Error(bad_input), never made up.
[[nodiscard]] Image decode_image(std::span<const std::uint8_t> bytes);

// One format each; the bytes must start with the format's signature.
[[nodiscard]] Image decode_jpeg(std::span<const std::uint8_t> bytes);
[[nodiscard]] Image decode_png(std::span<const std::uint8_t> bytes);
[[nodiscard]] Image decode_ppm(std::span<const std::uint8_t> bytes);

// An RGB image of that size, black; throws Error(bad_input) where a side is 0 or most_pixels is
// exceeded.
[[nodiscard]] Image blank_rgb(std::int64_t width, std::int64_t height);

// Luma of ITU-R 601-2 in PIL's fixed point: (19595 R + 38470 G + 7471 B + 32768) >> 16.
[[nodiscard]] Image to_gray(const Image& rgb);

}  // namespace ocs
