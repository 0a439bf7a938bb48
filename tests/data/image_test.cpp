#include "ocs/data/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Image read_image(const std::string& name) { return decode_image(read_raw(test_image(name))); }

// The .ppm files were written by Pillow from what it read (images/make_images.py).
class ImageForms : public testing::TestWithParam<const char*> {};

TEST_P(ImageForms, AreDecodedToThePixelsThatPillowReads) {
  const std::string name = GetParam();
  EXPECT_EQ(read_image(name), read_image(name + ".ppm"));
}

INSTANTIATE_TEST_SUITE_P(Files, ImageForms,
                         testing::Values("420.jpg", "422_progressive.jpg", "444.jpg", "gray.jpg",
                                         "cmyk.jpg", "alpha.png", "palette.png", "black_white.png",
                                         "gray_alpha.png", "gamma.png", "rgb16.png", "gray16.png",
                                         "interlaced.png", "levels_100.ppm", "wide.ppm",
                                         "gray.pgm"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(DecodePpm, ReadsPixelsRowByRow) {
  const Image image = decode_image(raw_of("P6 # a comment\n2 1 255\n\x01\x02\x03\x04\x05\x06"));
  EXPECT_EQ(image, (Image{.width = 2, .height = 1, .channels = 3, .pixels = {1, 2, 3, 4, 5, 6}}));
}

TEST(DecodePpm, ScalesOtherGreatestValuesTo255) {
  const Image image = decode_image(raw_of("P5 3 1 5\n\x01\x03\x05"));
  EXPECT_EQ(image.pixels, (Raw{51, 51, 51, 153, 153, 153, 255, 255, 255}));
}

TEST(DecodePpm, NamesWhatIsDamaged) {
  const auto decoding = [](const std::string& text) {
    return [text] { (void)decode_image(raw_of(text)); };
  };
  EXPECT_THAT(decoding("P6 2 2 255\nabc"),
              ThrowsMessage<Error>("damaged PPM: 3 bytes of pixels, 12 are needed"));
  EXPECT_THAT(decoding("P6 2"),
              ThrowsMessage<Error>("damaged PPM: a number is missing in the header"));
  EXPECT_THAT(decoding("P6 2 2 255"), ThrowsMessage<Error>("damaged PPM: the header has no end"));
  EXPECT_THAT(decoding("P6 # no end"),
              ThrowsMessage<Error>("damaged PPM: a number is missing in the header"));
  EXPECT_THAT(decoding("P6 2 2 0\nabc"), ThrowsMessage<Error>("damaged PPM: greatest value 0"));
  EXPECT_THAT(decoding("P6 0 2 255\n"), ThrowsMessage<Error>("an image of 0x2 pixels"));
  EXPECT_THAT(decoding("P6 99999999 1 255\n"),
              ThrowsMessage<Error>("damaged PPM: a number in the header is too large"));
  EXPECT_THAT(
      decoding("P6 900000 900000 255\n"),
      ThrowsMessage<Error>("an image of 900000x900000 pixels; the limit is 178956970 pixels"));
}

TEST(DecodeImage, RefusesWhatIsNoImage) {
  EXPECT_THAT([] { (void)decode_image({}); }, ThrowsMessage<Error>("the file is empty"));
  EXPECT_THAT(
      [] { (void)decode_image(raw_of("GIF89a...")); },
      ThrowsMessage<Error>("not an image that can be read (JPEG, PNG, or binary PPM or PGM)"));
  EXPECT_THAT([] { (void)decode_image(raw_of("P")); },
              ThrowsMessage<Error>(HasSubstr("not an image")));
}

// Every prefix: no cut may crash, hang, or go unnoticed.
TEST(DecodeImage, RefusesEveryFileThatIsCutOff) {
  for (const char* name :
       {"420.jpg", "422_progressive.jpg", "gray.jpg", "cmyk.jpg", "alpha.png", "interlaced.png"}) {
    const Raw whole = read_raw(test_image(name));
    // A PNG is complete at the end of its pixels, a JPEG with its end marker.
    const std::size_t trailer = std::string(name).ends_with(".png") ? 24 : 1;
    for (std::size_t size = 0; size + trailer < whole.size(); ++size) {
      EXPECT_THROW((void)decode_image(std::span(whole).first(size)), Error)
          << name << " cut to " << size;
    }
  }
}

TEST(DecodeImage, SurvivesEveryChangedByte) {
  for (const char* name : {"420.jpg", "422_progressive.jpg", "palette.png"}) {
    const Raw whole = read_raw(test_image(name));
    for (std::size_t at = 0; at < whole.size(); ++at) {
      Raw changed = whole;
      changed[at] ^= 0xFFU;
      try {
        const Image image = decode_image(changed);
        EXPECT_EQ(image.pixels.size(), static_cast<std::size_t>(image.width * image.height * 3));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), Error::Kind::bad_input);
      }
    }
  }
}

TEST(DecodeJpeg, SaysWhatTheLibrarySays) {
  const Raw whole = read_raw(test_image("420.jpg"));
  EXPECT_THAT([&] { (void)decode_image(std::span(whole).first(900)); },
              ThrowsMessage<Error>("damaged JPEG: Premature end of JPEG file"));
}

TEST(DecodePng, SaysWhatTheLibrarySays) {
  Raw whole = read_raw(test_image("alpha.png"));
  EXPECT_THAT([&] { (void)decode_image(std::span(whole).first(900)); },
              ThrowsMessage<Error>("damaged PNG: the file ends too early"));
  whole[60] ^= 1U;
  EXPECT_THAT([&] { (void)decode_image(whole); }, ThrowsMessage<Error>(HasSubstr("damaged PNG: ")));
}

TEST(ToGray, KeepsGrayAndWeighsColours) {
  const Image image{
      .width = 4, .height = 1, .pixels = {77, 77, 77, 255, 0, 0, 0, 255, 0, 0, 0, 255}};
  EXPECT_EQ(to_gray(image),
            (Image{.width = 4, .height = 1, .channels = 1, .pixels = {77, 76, 150, 29}}));
  for (int level = 0; level < 256; ++level) {
    const auto value = static_cast<std::uint8_t>(level);
    EXPECT_EQ(to_gray({.width = 1, .height = 1, .pixels = {value, value, value}}).pixels,
              Raw{value});
  }
}

}  // namespace
}  // namespace ocs
