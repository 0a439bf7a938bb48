#include "ocs/ops/window.h"

#include <algorithm>

#include "ocs/graph/graph.h"

namespace ocs {
namespace {

std::int64_t value_at(const std::vector<std::int64_t>& values, std::size_t index,
                      std::int64_t fallback) {
  return index < values.size() ? values[index] : fallback;
}

std::int64_t reach_of(const WindowAxis& axis) { return (axis.kernel - 1) * axis.dilation + 1; }

// Padding of auto_pad SAME_UPPER / SAME_LOWER (ONNX Conv).
void pad_same(WindowAxis& axis, bool upper) {
  const std::int64_t outputs = (axis.size + axis.stride - 1) / axis.stride;
  const std::int64_t total =
      std::max<std::int64_t>(0, (outputs - 1) * axis.stride + reach_of(axis) - axis.size);
  axis.before = upper ? total / 2 : total - total / 2;
  axis.after = total - axis.before;
}

}  // namespace

std::int64_t WindowAxis::outputs() const {
  const std::int64_t room = size + before + after - reach_of(*this);
  return room < 0 ? 0 : room / stride + 1;
}

std::vector<WindowAxis> window_axes(const onnx::NodeProto& node, const Shape& data) {
  const std::vector<std::int64_t> kernel = ints_attribute(node, "kernel_shape");
  const bool is_known = !kernel.empty() && data.size() == kernel.size() + 2 &&
                        std::ranges::none_of(data.begin() + 2, data.end(),
                                             [](std::int64_t extent) { return extent <= 0; });
  if (!is_known) return {};
  const std::string auto_pad = string_attribute(node, "auto_pad", "NOTSET");
  const std::vector<std::int64_t> pads = ints_attribute(node, "pads");
  const std::vector<std::int64_t> strides = ints_attribute(node, "strides");
  const std::vector<std::int64_t> dilations = ints_attribute(node, "dilations");
  std::vector<WindowAxis> axes;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    WindowAxis axis{.size = data[i + 2],
                    .kernel = kernel[i],
                    .stride = value_at(strides, i, 1),
                    .dilation = value_at(dilations, i, 1)};
    if (auto_pad == "NOTSET") {
      axis.before = value_at(pads, i, 0);
      axis.after = value_at(pads, i + kernel.size(), 0);
    } else if (auto_pad != "VALID") {
      pad_same(axis, auto_pad == "SAME_UPPER");
    }
    axes.push_back(axis);
  }
  return axes;
}

}  // namespace ocs
