// JPEG through libjpeg-turbo with its default settings, which are PIL's too: the accurate integer
// inverse DCT and smooth chroma upsampling.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <string>

#include <jpeglib.h>
// After jpeglib.h, which it needs.
#include <jerror.h>

#include "ocs/core/error.h"
#include "ocs/data/image.h"

namespace ocs {
namespace {

// libjpeg reports an error by a function that must not return; it leaves by longjmp. Nothing with a
// destructor may live in a frame that the jump skips, so all state is in here, outside of the
// function that sets the jump.
struct JpegDecoder {
  jpeg_error_mgr errors{};  // first member: libjpeg hands back its address
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};
  Image image{};
  std::vector<std::uint8_t> row{};
};

JpegDecoder& decoder_of(j_common_ptr info) { return *static_cast<JpegDecoder*>(info->client_data); }

[[noreturn]] void leave(j_common_ptr info) {
  JpegDecoder& decoder = decoder_of(info);
  info->err->format_message(info, decoder.message.data());
  std::longjmp(decoder.jump, 1);
}

// libjpeg goes on behind damage with made-up pixels and calls that a warning. Extra bytes and the
// like do no harm.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
      leave(info);
    default:
      return;
  }
}

// A small file can ask for thousands of passes over a large image; real ones have about ten.
void on_progress(j_common_ptr info) {
  constexpr int most_scans = 500;
  JpegDecoder& decoder = decoder_of(info);
  if (decoder.info.input_scan_number <= most_scans) return;
  std::snprintf(decoder.message.data(), decoder.message.size(), "more than %d scans", most_scans);
  std::longjmp(decoder.jump, 1);
}

void gray_to_rgb(const std::uint8_t* from, std::uint8_t* to, int width) {
  for (int x = 0; x < width; ++x, to += 3) std::fill_n(to, 3, from[x]);
}

// Adobe writes CMYK inverted; PIL takes every CMYK JPEG so. Then PIL's CMYK -> RGB in 8-bit fixed
// point.
void inverted_cmyk_to_rgb(const std::uint8_t* from, std::uint8_t* to, int width) {
  for (int x = 0; x < width; ++x, from += 4, to += 3) {
    const int white = from[3];  // 255 - black
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - from[c]) * white + 128;
      to[c] =
          static_cast<std::uint8_t>(std::clamp(white - ((product / 256 + product) / 256), 0, 255));
    }
  }
}

void choose_colour(jpeg_decompress_struct& info) {
  switch (info.num_components) {
    case 1:
      info.out_color_space = JCS_GRAYSCALE;
      break;
    case 3:
      info.out_color_space = JCS_RGB;
      break;
    default:
      info.out_color_space = JCS_CMYK;
      break;  // from CMYK or YCCK; libjpeg refuses the rest
  }
}

void read_rows(JpegDecoder& decoder) {
  jpeg_decompress_struct& info = decoder.info;
  const int width = decoder.image.width;
  decoder.row.resize(static_cast<std::size_t>(width) * 4);
  while (info.output_scanline < info.output_height) {
    std::uint8_t* target =
        decoder.image.pixels.data() +
        static_cast<std::size_t>(info.output_scanline) * static_cast<std::size_t>(width) * 3;
    JSAMPROW row = info.out_color_space == JCS_RGB ? target : decoder.row.data();
    jpeg_read_scanlines(&info, &row, 1);
    if (info.out_color_space == JCS_GRAYSCALE) gray_to_rgb(row, target, width);
    if (info.out_color_space == JCS_CMYK) inverted_cmyk_to_rgb(row, target, width);
  }
}

// False where libjpeg gave up; the reason is then in decoder.message.
bool run(JpegDecoder& decoder, const std::uint8_t* bytes, std::size_t size) {
  if (setjmp(decoder.jump) != 0) return false;
  jpeg_decompress_struct& info = decoder.info;
  jpeg_create_decompress(&info);
  info.progress = &decoder.progress;
  jpeg_mem_src(&info, bytes, size);
  jpeg_read_header(&info, TRUE);
  choose_colour(info);
  decoder.image = blank_rgb(info.image_width, info.image_height);
  jpeg_start_decompress(&info);
  read_rows(decoder);
  jpeg_finish_decompress(&info);
  return true;
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes) {
  struct Cleanup {
    JpegDecoder decoder{};
    ~Cleanup() { jpeg_destroy_decompress(&decoder.info); }
  } state;
  JpegDecoder& decoder = state.decoder;
  decoder.info.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = leave;
  decoder.errors.emit_message = on_message;
  decoder.progress.progress_monitor = on_progress;
  decoder.info.client_data = &decoder;
  if (!run(decoder, bytes.data(), bytes.size())) {
    throw_bad_input(std::string("damaged JPEG: ") + decoder.message.data());
  }
  return std::move(decoder.image);
}

}  // namespace ocs
