// PNG through libpng. The library's simplified interface is no use here: it applies gamma and
// blends alpha, PIL does neither.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string>

#include <png.h>

#include "ocs/core/error.h"
#include "ocs/data/image.h"

namespace ocs {
namespace {

// libpng leaves by longjmp: all state is outside of the function that sets the jump (see
// decode_jpeg.cpp).
struct PngDecoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf jump{};
  std::array<char, 200> message{};
  std::span<const std::uint8_t> rest{};
  Image image{};
  std::vector<png_bytep> rows{};

  PngDecoder() = default;
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  PngDecoder(PngDecoder&&) = delete;
  PngDecoder& operator=(PngDecoder&&) = delete;
  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void leave(png_structp png, png_const_charp message) {
  auto& decoder = *static_cast<PngDecoder*>(png_get_error_ptr(png));
  std::strncpy(decoder.message.data(), message, decoder.message.size() - 1);
  std::longjmp(decoder.jump, 1);
}

void ignore(png_structp /*png*/, png_const_charp /*message*/) {}

void read(png_structp png, png_bytep into, std::size_t size) {
  auto& decoder = *static_cast<PngDecoder*>(png_get_io_ptr(png));
  if (size > decoder.rest.size()) png_error(png, "the file ends too early");
  std::copy_n(decoder.rest.begin(), size, into);
  decoder.rest = decoder.rest.subspan(size);
}

// Every colour type and depth to 8-bit RGB.
void choose_transformations(PngDecoder& decoder) {
  png_structp png = decoder.png;
  const int colour = png_get_color_type(png, decoder.info);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (colour == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  if ((colour & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, decoder.info);
}

// False where libpng gave up; the reason is then in decoder.message.
bool run(PngDecoder& decoder) {
  if (setjmp(decoder.jump) != 0) return false;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, leave, ignore);
  if (decoder.png == nullptr) return false;
  decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) return false;
  png_set_read_fn(decoder.png, &decoder, read);
  png_read_info(decoder.png, decoder.info);
  decoder.image = blank_rgb(png_get_image_width(decoder.png, decoder.info),
                            png_get_image_height(decoder.png, decoder.info));
  choose_transformations(decoder);
  const std::size_t stride = static_cast<std::size_t>(decoder.image.width) * 3;
  if (png_get_rowbytes(decoder.png, decoder.info) != stride)
    png_error(decoder.png, "a form of pixels that is not known");
  decoder.rows.resize(static_cast<std::size_t>(decoder.image.height));
  for (std::size_t y = 0; y < decoder.rows.size(); ++y)
    decoder.rows[y] = decoder.image.pixels.data() + y * stride;
  png_read_image(decoder.png, decoder.rows.data());
  return true;
}

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes) {
  PngDecoder decoder;
  decoder.rest = bytes;
  if (!run(decoder)) throw_bad_input(std::string("damaged PNG: ") + decoder.message.data());
  return std::move(decoder.image);
}

}  // namespace ocs
