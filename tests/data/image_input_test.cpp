#include "ocs/data/image_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::ThrowsMessage;

// Pixel (x, y) has red 10 y + x, green 100 + red, blue 200 + red.
Image numbered(int width, int height) {
  Image image = blank_rgb(width, height);
  for (std::size_t i = 0; i < image.pixels.size() / 3; ++i) {
    const std::size_t red =
        i / static_cast<std::size_t>(width) * 10 + i % static_cast<std::size_t>(width);
    for (std::size_t c = 0; c < 3; ++c)
      image.pixels[i * 3 + c] = static_cast<std::uint8_t>(red + 100 * c);
  }
  return image;
}

std::vector<float> values(const Tensor& tensor) {
  const auto held = tensor.as<float>();
  return {held.begin(), held.end()};
}

TEST(Apply, GivesPlanesOfPixelsByDefault) {
  const Tensor tensor = apply({}, numbered(2, 2));
  EXPECT_EQ(tensor.shape, (Shape{1, 3, 2, 2}));
  EXPECT_EQ(values(tensor),
            (std::vector<float>{0, 1, 10, 11, 100, 101, 110, 111, 200, 201, 210, 211}));
}

TEST(Apply, OrdersChannelsAndAxesAsAsked) {
  const Tensor planes = apply({.channels = Channels::bgr}, numbered(2, 1));
  EXPECT_EQ(values(planes), (std::vector<float>{200, 201, 100, 101, 0, 1}));
  const Tensor pixels = apply({.channels = Channels::bgr, .layout = Layout::nhwc}, numbered(2, 1));
  EXPECT_EQ(pixels.shape, (Shape{1, 1, 2, 3}));
  EXPECT_EQ(values(pixels), (std::vector<float>{200, 100, 0, 201, 101, 1}));
}

TEST(Apply, CropsTheCentreWithTheOffsetRoundedDown) {
  const Tensor tensor = apply({.crop = 2}, numbered(5, 4));
  EXPECT_EQ(tensor.shape, (Shape{1, 3, 2, 2}));
  EXPECT_THAT(values(tensor), testing::IsSupersetOf({11.0F, 12.0F, 21.0F, 22.0F}));
}

TEST(Apply, ComputesInDoubleAndRoundsOnce) {
  const Preprocess preprocess{
      .scale = 1.0 / 255.0, .mean = {0.485, 0.456, 0.406}, .deviation = {0.229, 0.224, 0.225}};
  const Tensor tensor = apply(preprocess, numbered(1, 1));
  const double scale = 1.0 / 255.0;
  EXPECT_EQ(values(tensor),
            (std::vector<float>{static_cast<float>((0 * scale - 0.485) / 0.229),
                                static_cast<float>((100 * scale - 0.456) / 0.224),
                                static_cast<float>((200 * scale - 0.406) / 0.225)}));
}

TEST(Apply, CountsMeanAndStdInTheOrderOfTheChannels) {
  const Tensor tensor = apply({.channels = Channels::bgr, .mean = {200, 100, 0}}, numbered(1, 1));
  EXPECT_EQ(values(tensor), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(values(apply({.mean = {1}, .deviation = {2}}, numbered(1, 1))),
            (std::vector<float>{-0.5F, 49.5F, 99.5F}));
}

TEST(Apply, MakesOneChannelOfGray) {
  const Tensor tensor = apply({.channels = Channels::gray}, blank_rgb(3, 2));
  EXPECT_EQ(tensor.shape, (Shape{1, 1, 2, 3}));
}

TEST(Apply, ResizesBeforeItCrops) {
  const Tensor tensor = apply({.resize = 4, .crop = 3}, blank_rgb(8, 16));
  EXPECT_EQ(tensor.shape, (Shape{1, 3, 3, 3}));
}

TEST(Apply, RefusesAnImageSmallerThanTheCrop) {
  EXPECT_THAT(
      [] { (void)apply({.crop = 6}, blank_rgb(8, 5)); },
      ThrowsMessage<Error>(
          "the image has 8x5 pixels, too few for a crop of 6; give the preprocessing a resize"));
}

auto giving(const Preprocess& preprocess, const Image& image, const Port& input) {
  return [=] { (void)image_tensor(preprocess, image, input); };
}

TEST(ImageTensor, RefusesShapesThatTheInputDoesNotTake) {
  const Port input{.name = "data", .shape = {-1, 3, 4, 4}};
  EXPECT_THAT(giving({}, blank_rgb(5, 4), input),
              ThrowsMessage<Error>(
                  "the image becomes [1,3,4,5], the model's input 'data' takes [?,3,4,4]; give the "
                  "preprocessing a crop, or a resize and a crop"));
  EXPECT_THAT(
      giving({.layout = Layout::nhwc}, blank_rgb(4, 4), input),
      ThrowsMessage<Error>(
          "the image becomes [1,4,4,3], the model's input 'data' takes [?,3,4,4]; the model "
          "wants layout=nchw"));
  EXPECT_THAT(
      giving({}, blank_rgb(4, 4), {.name = "x", .shape = {1, 4, 4, 3}}),
      ThrowsMessage<Error>(
          "the image becomes [1,3,4,4], the model's input 'x' takes [1,4,4,3]; the model wants "
          "layout=nhwc"));
  EXPECT_THAT(
      giving({}, blank_rgb(4, 4), {.name = "x", .shape = {1, 1, 4, 4}}),
      ThrowsMessage<Error>(
          "the image becomes [1,3,4,4], the model's input 'x' takes [1,1,4,4]; the model wants "
          "channels=gray"));
}

TEST(ImageTensor, TakesFreeExtentsAndInputsWithoutABatch) {
  EXPECT_EQ(image_tensor({}, blank_rgb(5, 4), {.shape = {-1, 3, -1, -1}}).shape,
            (Shape{1, 3, 4, 5}));
  EXPECT_EQ(image_tensor({}, blank_rgb(5, 4), {.shape = {3, 4, 5}}).shape, (Shape{3, 4, 5}));
}

TEST(ImageTensor, GivesIntegersWhereTheModelTakesThem) {
  const Port input{.name = "pixels", .type = ElementType::uint8, .shape = {1, 3, 1, 1}};
  EXPECT_EQ(image_tensor({}, numbered(1, 1), input).values,
            (Values{std::vector<std::uint8_t>{0, 100, 200}}));
  EXPECT_THAT(
      giving({.scale = 0.25, .mean = {0.5}}, numbered(1, 1), input),
      ThrowsMessage<Error>("the preprocessing gives -0.5, which the input's integers cannot hold"));
  EXPECT_THAT(
      giving({.scale = 2}, numbered(1, 1), input),
      ThrowsMessage<Error>("the preprocessing gives 400, which the input's integers cannot hold"));
  EXPECT_THAT(
      giving({}, numbered(1, 1),
             {.name = "ids", .type = ElementType::int64, .shape = {1, 3, 1, 1}}),
      ThrowsMessage<Error>("the model's input 'ids' is of type int64, which no image gives"));
}

TEST(ImageInput, IsTheOneInputWithAnImagesAxes) {
  const Port image{.name = "x", .shape = {1, 3, 8, 8}};
  EXPECT_EQ(image_input({image}), image);
  EXPECT_THAT(
      [&] {
        (void)image_input({image, image});
      },
      ThrowsMessage<Error>(
          "the model has 2 inputs and images are given to a single one; .npz files can hold "
          "several"));
  EXPECT_THAT(
      [] {
        (void)image_input({{.name = "ids", .shape = {-1, 128}}});
      },
      ThrowsMessage<Error>("the model's input 'ids' of shape [?,128] takes no images"));
}

}  // namespace
}  // namespace ocs
