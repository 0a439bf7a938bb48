// From a decoded image to the one image-like input of a model.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ocs/core/tensor.h"
#include "ocs/data/image.h"
#include "ocs/data/preprocess.h"

namespace ocs {

// Shape [1, channels, height, width] or [1, height, width, channels], float32:
// (pixel * scale - mean) / std, computed in double and rounded once. `image` is RGB, of any size.
// Throws Error(bad_input) where the image is smaller than the crop.
[[nodiscard]] Tensor apply(const Preprocess& preprocess, Image image);

// The input that images are given to. Throws Error(bad_input) where the model has several inputs,
// or one that is no image.
[[nodiscard]] const Port& image_input(const std::vector<Port>& inputs);

// Images that make one sample: the fixed first extent of the input, or 1.
[[nodiscard]] std::size_t images_per_sample(const Port& input);

// apply(), in the type of the input and with its number of axes. Throws Error(bad_input) naming
// both shapes where the result does not fit (the first extent aside), or the input is of integers
// and a value is no whole number of its range.
[[nodiscard]] Tensor image_tensor(const Preprocess& preprocess, Image image, const Port& input);

}  // namespace ocs
