#include "ocs/plan/correct_bias.h"

#include <algorithm>

#include "ocs/graph/graph.h"

namespace ocs {
namespace {

struct Extent {
  std::int64_t size = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t before = 0;  // padding
  std::int64_t after = 0;
};

std::int64_t value_at(const std::vector<std::int64_t>& values, std::size_t index,
                      std::int64_t fallback) {
  return index < values.size() ? values[index] : fallback;
}

// Padding of auto_pad SAME_UPPER / SAME_LOWER (ONNX Conv).
void pad_same(Extent& extent, bool upper) {
  const std::int64_t outputs = (extent.size + extent.stride - 1) / extent.stride;
  const std::int64_t reach = (extent.kernel - 1) * extent.dilation + 1;
  const std::int64_t total =
      std::max<std::int64_t>(0, (outputs - 1) * extent.stride + reach - extent.size);
  extent.before = upper ? total / 2 : total - total / 2;
  extent.after = total - extent.before;
}

std::vector<double> coverage_of(const Extent& extent) {
  std::vector<double> coverage(static_cast<std::size_t>(extent.kernel), 1.0);
  const std::int64_t reach = (extent.kernel - 1) * extent.dilation + 1;
  const std::int64_t outputs =
      (extent.size + extent.before + extent.after - reach) / extent.stride + 1;
  if (outputs <= 0) return coverage;
  for (std::int64_t tap = 0; tap < extent.kernel; ++tap) {
    std::int64_t inside = 0;
    for (std::int64_t out = 0; out < outputs; ++out) {
      const std::int64_t at = out * extent.stride - extent.before + tap * extent.dilation;
      inside += at >= 0 && at < extent.size ? 1 : 0;
    }
    coverage[static_cast<std::size_t>(tap)] =
        static_cast<double>(inside) / static_cast<double>(outputs);
  }
  return coverage;
}

}  // namespace

std::vector<double> tap_coverage(const onnx::NodeProto& node, const Shape& data,
                                 std::int64_t taps) {
  std::vector<double> coverage{1.0};
  const std::vector<std::int64_t> kernel = ints_attribute(node, "kernel_shape");
  const bool is_known = node.op_type() == "Conv" && data.size() == kernel.size() + 2 &&
                        !kernel.empty() &&
                        std::ranges::none_of(data.begin() + 2, data.end(),
                                             [](std::int64_t extent) { return extent <= 0; });
  if (is_known) {
    const std::string auto_pad = string_attribute(node, "auto_pad", "NOTSET");
    const std::vector<std::int64_t> pads = ints_attribute(node, "pads");
    for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
      Extent extent{.size = data[axis + 2],
                    .kernel = kernel[axis],
                    .stride = value_at(ints_attribute(node, "strides"), axis, 1),
                    .dilation = value_at(ints_attribute(node, "dilations"), axis, 1)};
      if (auto_pad == "NOTSET") {
        extent.before = value_at(pads, axis, 0);
        extent.after = value_at(pads, axis + kernel.size(), 0);
      } else if (auto_pad != "VALID") {
        pad_same(extent, auto_pad == "SAME_UPPER");
      }
      std::vector<double> product;
      for (const double outer : coverage)
        for (const double inner : coverage_of(extent)) product.push_back(outer * inner);
      coverage = std::move(product);
    }
  }
  if (static_cast<std::int64_t>(coverage.size()) != taps)
    coverage.assign(static_cast<std::size_t>(taps), 1.0);
  return coverage;
}

std::vector<double> mean_shift(const ChannelMatrix& weight, std::span<const std::int16_t> stored,
                               std::span<const float> scales, std::span<const double> input_means,
                               std::span<const double> coverage) {
  std::vector<double> shift(static_cast<std::size_t>(weight.rows()), 0.0);
  for (std::int64_t g = 0; g < weight.groups; ++g) {
    for (std::int64_t o = 0; o < weight.outputs; ++o) {
      const auto row = static_cast<std::size_t>(g * weight.outputs + o);
      const double scale = static_cast<double>(scales.size() == 1 ? scales[0] : scales[row]);
      for (std::int64_t i = 0; i < weight.inputs; ++i) {
        double lost = 0.0;
        for (std::int64_t k = 0; k < weight.taps; ++k) {
          const std::size_t at = weight.index(g, o, i, k);
          lost += (static_cast<double>(weight.data[at]) - scale * stored[at]) *
                  coverage[static_cast<std::size_t>(k)];
        }
        shift[row] += lost * input_means[static_cast<std::size_t>(g * weight.inputs + i)];
      }
    }
  }
  return shift;
}

}  // namespace ocs
