#include "ocs/data/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"

namespace ocs {
namespace {

Image read_image(const std::string& name) { return decode_image(read_raw(test_image(name))); }

struct Case {
  int width;
  int height;
};

class ResizeTo : public testing::TestWithParam<Case> {};

TEST_P(ResizeTo, EqualsPillow) {
  const auto [width, height] = GetParam();
  const Image picture = read_image("picture.ppm");
  const std::string size = std::to_string(width) + "x" + std::to_string(height) + ".ppm";
  EXPECT_EQ(resize(picture, width, height, Interpolation::bilinear),
            read_image("resized_bilinear_" + size));
  EXPECT_EQ(resize(picture, width, height, Interpolation::bicubic),
            read_image("resized_bicubic_" + size));
}

INSTANTIATE_TEST_SUITE_P(Sizes, ResizeTo,
                         testing::Values(Case{19, 15}, Case{64, 50}, Case{5, 29}, Case{37, 7},
                                         Case{100, 3}, Case{1, 1}, Case{30, 4}),
                         [](const auto& param) {
                           return std::to_string(param.param.width) + "x" +
                                  std::to_string(param.param.height);
                         });

TEST(Resize, WorksOnOneChannel) {
  const Image gray = to_gray(read_image("luma.pgm"));
  EXPECT_EQ(resize(gray, 19, 15, Interpolation::bilinear), to_gray(read_image("luma_19x15.pgm")));
}

TEST(Resize, LeavesAnImageOfThatSizeAsItIs) {
  const Image picture = read_image("picture.ppm");
  EXPECT_EQ(resize(picture, picture.width, picture.height, Interpolation::bilinear), picture);
}

TEST(ResizeShortSide, KeepsTheProportionRoundedDown) {
  const Image wide = blank_rgb(37, 29);
  EXPECT_EQ(resize_short_side(wide, 10, Interpolation::bilinear),
            blank_rgb(12, 10));  // 10 * 37 / 29 = 12.76
  const Image high = blank_rgb(29, 37);
  EXPECT_EQ(resize_short_side(high, 10, Interpolation::bilinear), blank_rgb(10, 12));
}

}  // namespace
}  // namespace ocs
