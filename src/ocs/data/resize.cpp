#include "ocs/data/resize.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr int weight_bits = 22;  // 8 bits of pixel, 2 of headroom for negative weights, 32 in all

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

// Keys' cubic with a = -0.5.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

struct Filter {
  double (*weight)(double);
  double support;  // half the width, in pixels
};

Filter filter_of(Interpolation interpolation) {
  return interpolation == Interpolation::bicubic ? Filter{cubic, 2.0} : Filter{triangle, 1.0};
}

// The input pixels [first, first + weights.size()) that make one output pixel.
struct Window {
  int first = 0;
  std::vector<std::int32_t> weights{};
};

std::vector<Window> windows(int from, int to, const Filter& filter) {
  const double scale = static_cast<double>(from) / to;
  const double widening = std::max(scale, 1.0);
  const double support = filter.support * widening;
  std::vector<Window> all(static_cast<std::size_t>(to));
  std::vector<double> real;
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int last = std::min(static_cast<int>(centre + support + 0.5), from);
    real.clear();
    double sum = 0;
    for (int x = first; x < last; ++x) {
      real.push_back(filter.weight((x - centre + 0.5) * (1.0 / widening)));
      sum += real.back();
    }
    Window& window = all[static_cast<std::size_t>(i)];
    window.first = first;
    for (const double weight : real) {
      const double scaled = (sum == 0.0 ? weight : weight / sum) * (1 << weight_bits);
      window.weights.push_back(static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
  }
  return all;
}

// A weighted sum of the values from[0], from[step], ...
std::uint8_t mix(const std::uint8_t* from, std::size_t step,
                 const std::vector<std::int32_t>& weights) {
  std::int32_t sum = 1 << (weight_bits - 1);
  for (const std::int32_t weight : weights) {
    sum += *from * weight;
    from += step;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> weight_bits, 0, 255));
}

Image blank(int width, int height, int channels) {
  Image image = blank_rgb(width, height);
  image.channels = channels;
  image.pixels.resize(image.pixels.size() / 3 * static_cast<std::size_t>(channels));
  return image;
}

Image resize_columns(const Image& image, int width, const Filter& filter) {
  const std::vector<Window> all = windows(image.width, width, filter);
  Image result = blank(width, image.height, image.channels);
  const auto channels = static_cast<std::size_t>(image.channels);
  std::uint8_t* to = result.pixels.data();
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
    const std::uint8_t* row =
        image.pixels.data() + y * static_cast<std::size_t>(image.width) * channels;
    for (const Window& window : all) {
      const std::uint8_t* from = row + static_cast<std::size_t>(window.first) * channels;
      for (std::size_t c = 0; c < channels; ++c) *to++ = mix(from + c, channels, window.weights);
    }
  }
  return result;
}

Image resize_rows(const Image& image, int height, const Filter& filter) {
  const std::vector<Window> all = windows(image.height, height, filter);
  Image result = blank(image.width, height, image.channels);
  const std::size_t stride =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
  std::uint8_t* to = result.pixels.data();
  for (const Window& window : all) {
    const std::uint8_t* from =
        image.pixels.data() + static_cast<std::size_t>(window.first) * stride;
    for (std::size_t x = 0; x < stride; ++x) *to++ = mix(from + x, stride, window.weights);
  }
  return result;
}

}  // namespace

Image resize(const Image& image, int width, int height, Interpolation interpolation) {
  const Filter filter = filter_of(interpolation);
  const bool is_new_width = width != image.width;
  const bool is_new_height = height != image.height;
  // The order shows in the rounding between the two; Pillow turns it round since version 13.
  const bool rows_first = height < image.height && std::int64_t{image.height} - height >
                                                       2 * (std::int64_t{image.width} - width);
  Image result = image;
  if (is_new_height && rows_first) result = resize_rows(result, height, filter);
  if (is_new_width) result = resize_columns(result, width, filter);
  if (is_new_height && !rows_first) result = resize_rows(result, height, filter);
  return result;
}

Image resize_short_side(const Image& image, int side, Interpolation interpolation) {
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t longer = std::max(image.width, image.height);
  const std::int64_t new_longer = side * longer / shorter;
  if (new_longer > most_pixels / side) {
    throw_bad_input(
        fmt::format("an image of {}x{} pixels, resized to a short side of {}, is too large",
                    image.width, image.height, side));
  }
  const int other = static_cast<int>(new_longer);
  return image.width <= image.height ? resize(image, side, other, interpolation)
                                     : resize(image, other, side, interpolation);
}

}  // namespace ocs
