#include "ocs/data/image_input.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/data/resize.h"

namespace ocs {
namespace {

double value_for(const std::vector<double>& values, std::size_t channel, double absent) {
  if (values.empty()) return absent;
  return values.size() == 1 ? values.front() : values[channel];
}

// What each of the 256 pixel values becomes.
std::array<float, 256> levels(const Preprocess& preprocess, std::size_t channel) {
  const double mean = value_for(preprocess.mean, channel, 0.0);
  const double deviation = value_for(preprocess.deviation, channel, 1.0);
  std::array<float, 256> values{};
  for (std::size_t pixel = 0; pixel < values.size(); ++pixel) {
    values[pixel] =
        static_cast<float>((static_cast<double>(pixel) * preprocess.scale - mean) / deviation);
  }
  return values;
}

Image sized(const Preprocess& preprocess, Image image) {
  if (preprocess.channels == Channels::gray) image = to_gray(image);
  if (preprocess.resize > 0)
    image = resize_short_side(image, preprocess.resize, preprocess.interpolation);
  if (preprocess.crop > image.width || preprocess.crop > image.height) {
    throw_bad_input(fmt::format(
        "the image has {}x{} pixels, too few for a crop of {}; give the preprocessing a resize",
        image.width, image.height, preprocess.crop));
  }
  return image;
}

template <typename T>
Tensor to_integers(const Tensor& tensor) {
  std::vector<T> values;
  for (const float value : tensor.as<float>()) {
    if (value != std::nearbyint(value) ||
        value < static_cast<float>(std::numeric_limits<T>::min()) ||
        value > static_cast<float>(std::numeric_limits<T>::max())) {
      throw_bad_input(
          fmt::format("the preprocessing gives {}, which the input's integers cannot hold", value));
    }
    values.push_back(static_cast<T>(value));
  }
  return {.shape = tensor.shape, .values = std::move(values)};
}

Tensor in_type_of(const Port& input, Tensor tensor) {
  switch (input.type) {
    case ElementType::float32:
      return tensor;
    case ElementType::float64: {
      const auto values = tensor.as<float>();
      return {.shape = tensor.shape, .values = std::vector<double>(values.begin(), values.end())};
    }
    case ElementType::uint8:
      return to_integers<std::uint8_t>(tensor);
    case ElementType::int8:
      return to_integers<std::int8_t>(tensor);
    default:
      throw_bad_input(fmt::format("the model's input '{}' is of type {}, which no image gives",
                                  input.name, name_of(input.type)));
  }
}

// Why a shape does not fit, as far as that can be said.
std::string advice(const Shape& shape, const Port& input, Layout layout) {
  const std::size_t channel_axis = layout == Layout::nchw ? 1 : 3;
  const auto wanted = input.shape[channel_axis];
  if (wanted < 0 || wanted == shape[channel_axis])
    return "; give the preprocessing a crop, or a resize and a crop";
  const bool other_layout = input.shape[layout == Layout::nchw ? 3 : 1] == shape[channel_axis];
  if (other_layout)
    return layout == Layout::nchw ? "; the model wants layout=nhwc"
                                  : "; the model wants layout=nchw";
  return wanted == 1 ? "; the model wants channels=gray" : "";
}

}  // namespace

Tensor apply(const Preprocess& preprocess, Image source) {
  const Image image = sized(preprocess, std::move(source));
  const int width = preprocess.crop > 0 ? preprocess.crop : image.width;
  const int height = preprocess.crop > 0 ? preprocess.crop : image.height;
  const auto left = static_cast<std::size_t>((image.width - width) / 2);
  const auto top = static_cast<std::size_t>((image.height - height) / 2);
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto columns = static_cast<std::size_t>(width);
  const auto rows = static_cast<std::size_t>(height);
  const bool planes = preprocess.layout == Layout::nchw;

  std::vector<float> values(channels * rows * columns);
  for (std::size_t c = 0; c < channels; ++c) {
    const std::array<float, 256> level = levels(preprocess, c);
    const std::size_t stored = preprocess.channels == Channels::bgr ? channels - 1 - c : c;
    for (std::size_t y = 0; y < rows; ++y) {
      const std::uint8_t* pixel =
          image.pixels.data() +
          ((top + y) * static_cast<std::size_t>(image.width) + left) * channels + stored;
      float* to = values.data() + (planes ? (c * rows + y) * columns : y * columns * channels + c);
      const std::size_t step = planes ? 1 : channels;
      for (std::size_t x = 0; x < columns; ++x) to[x * step] = level[pixel[x * channels]];
    }
  }
  const Shape shape =
      planes ? Shape{1, image.channels, height, width} : Shape{1, height, width, image.channels};
  return {.shape = shape, .values = std::move(values)};
}

const Port& image_input(const std::vector<Port>& inputs) {
  if (inputs.size() != 1) {
    throw_bad_input(fmt::format(
        "the model has {} inputs and images are given to a single one; .npz files can hold several",
        inputs.size()));
  }
  const std::size_t axes = inputs[0].shape.size();
  if (axes != 3 && axes != 4) {
    throw_bad_input(fmt::format("the model's input '{}' of shape {} takes no images",
                                inputs[0].name, to_string(inputs[0].shape)));
  }
  return inputs[0];
}

std::size_t images_per_sample(const Port& input) {
  return input.shape.size() == 4 && input.shape[0] > 0 ? static_cast<std::size_t>(input.shape[0])
                                                       : 1;
}

Tensor image_tensor(const Preprocess& preprocess, Image image, const Port& input) {
  Tensor tensor = apply(preprocess, std::move(image));
  Port with_batch = input;
  if (input.shape.size() == 3) with_batch.shape.insert(with_batch.shape.begin(), 1);
  for (std::size_t axis = 1; axis < 4; ++axis) {
    if (with_batch.shape[axis] < 0 || with_batch.shape[axis] == tensor.shape[axis]) continue;
    throw_bad_input(fmt::format("the image becomes {}, the model's input '{}' takes {}{}",
                                to_string(tensor.shape), input.name, to_string(input.shape),
                                advice(tensor.shape, with_batch, preprocess.layout)));
  }
  if (input.shape.size() == 3) tensor.shape.erase(tensor.shape.begin());
  return in_type_of(input, std::move(tensor));
}

}  // namespace ocs
