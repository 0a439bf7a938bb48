// How the pixels of an image become the values that a model takes:
//
//   decode -> channels -> resize (short side) -> centred square crop -> (pixel * scale - mean) /
//   std
//
// pixel is 0..255. A preprocessing comes from a name, a JSON file, key=value pairs, or the sidecar
// of a model, and travels with a quantized model as the metadata `ocs.preprocess`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/core/json.h"

namespace ocs {

enum class Channels { rgb, bgr, gray };
enum class Layout { nchw, nhwc };
// Both antialiased: the filter widens with the factor by which an image shrinks, as PIL does it.
enum class Interpolation { bilinear, bicubic };

struct Preprocess {
  int resize =
      0;  // pixels of the short side, the long one in proportion (rounded down); 0: no resizing
  int crop = 0;  // side of the centred square, offset (size - crop) / 2 rounded down; 0: no crop
  Channels channels = Channels::rgb;
  double scale = 1.0;
  std::vector<double>
      mean{};  // in the order of `channels`: one for each, one for all, or empty (0)
  std::vector<double> deviation{};  // `std` in JSON; the same, or empty (1)
  Layout layout = Layout::nchw;
  Interpolation interpolation = Interpolation::bilinear;
  bool operator==(const Preprocess&) const = default;
};

// Number of channels: 1 for gray, else 3.
[[nodiscard]] int channel_count(const Preprocess& preprocess);

// Throws Error(bad_input) for sizes below zero, a crop above the short side, a scale or std of 0,
// anything not finite, and a mean or std that is neither one value nor one for each channel.
void check(const Preprocess& preprocess);

// Names that parse_preprocess knows.
[[nodiscard]] std::vector<std::string> preprocess_names();

// NAME, FILE.json or key=value,...; keys may follow a name or a file and then replace what that
// sets:
//   imagenet-torch        imagenet-caffe,resize=256,crop=224 scale=1/255,mean=0.5,0.5,0.5,std=0.5
// Throws Error(bad_input) naming what is wrong.
[[nodiscard]] Preprocess parse_preprocess(const std::string& text);

// MODEL.preprocess.json beside MODEL.onnx; nothing where there is no such file. Throws
// Error(bad_input) naming the file.
[[nodiscard]] std::optional<Preprocess> find_sidecar(const std::filesystem::path& model);

// The keys are resize, crop, channels, scale, mean, std, layout, interpolation; those left at their
// default are not written. Reading refuses unknown keys and checks the result.
[[nodiscard]] Json to_json(const Preprocess& preprocess);
[[nodiscard]] Preprocess preprocess_from_json(const Json& object);

}  // namespace ocs
