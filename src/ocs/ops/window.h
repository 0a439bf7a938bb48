// How the window of a Conv lies on its input, axis by axis.
#pragma once

#include <cstdint>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"

namespace ocs {

struct WindowAxis {
  std::int64_t size = 0;    // extent of the input
  std::int64_t kernel = 1;  // taps
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t before = 0;  // padding in front of the input
  std::int64_t after = 0;   // padding behind it

  // Positions of the output; 0 where the window does not fit.
  [[nodiscard]] std::int64_t outputs() const;
  // Index in the input that `tap` reads at position `output`; outside [0, size) in the padding.
  [[nodiscard]] std::int64_t index(std::int64_t output, std::int64_t tap) const {
    return output * stride - before + tap * dilation;
  }
};

// The spatial axes of a Conv with attribute kernel_shape for data [N, C, spatial...]; strides, pads,
// dilations and auto_pad as ONNX defines them. Empty where the kernel is not stated, the rank does
// not fit, or an extent is free.
[[nodiscard]] std::vector<WindowAxis> window_axes(const onnx::NodeProto& node, const Shape& data);

}  // namespace ocs
