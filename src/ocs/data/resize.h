// Antialiased resizing, equal to PIL's Image.resize for 8-bit images, bit for bit (Pillow 13).
//
// Each output pixel is a weighted mean of the input pixels under a filter that is centred on it
// and, when the image shrinks, widened by the factor. Weights are fixed point with 22 bits. One
// direction is done first and rounded to 8 bits, then the other: the columns first, or the rows
// where these become fewer by more than twice as many as the columns. A direction whose size stays
// is left out.
#pragma once

#include "ocs/data/image.h"
#include "ocs/data/preprocess.h"

namespace ocs {

[[nodiscard]] Image resize(const Image& image, int width, int height, Interpolation interpolation);

// The short side to `side`, the long one to side * long / short, rounded down (as torchvision's
// Resize).
[[nodiscard]] Image resize_short_side(const Image& image, int side, Interpolation interpolation);

}  // namespace ocs
