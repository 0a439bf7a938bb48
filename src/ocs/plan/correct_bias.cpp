#include "ocs/plan/correct_bias.h"

#include <utility>

#include "ocs/ops/window.h"
#include "ocs/quant/scale_index.h"

namespace ocs {
namespace {

std::vector<double> coverage_of(const WindowAxis& axis) {
  std::vector<double> coverage(static_cast<std::size_t>(axis.kernel), 1.0);
  const std::int64_t outputs = axis.outputs();
  if (outputs <= 0) return coverage;
  for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
    std::int64_t inside = 0;
    for (std::int64_t out = 0; out < outputs; ++out) {
      const std::int64_t at = axis.index(out, tap);
      inside += at >= 0 && at < axis.size ? 1 : 0;
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
  if (node.op_type() == "Conv") {
    for (const WindowAxis& axis : window_axes(node, data)) {
      std::vector<double> product;
      for (const double outer : coverage)
        for (const double inner : coverage_of(axis)) product.push_back(outer * inner);
      coverage = std::move(product);
    }
  }
  if (static_cast<std::int64_t>(coverage.size()) != taps)
    coverage.assign(static_cast<std::size_t>(taps), 1.0);
  return coverage;
}

std::vector<double> mean_shift(const ChannelMatrix& weight, std::span<const std::int16_t> stored,
                               std::span<const float> scales, std::span<const double> input_means,
                               std::span<const double> coverage, std::span<const double> mean_drift,
                               std::int64_t block) {
  std::vector<double> shift(static_cast<std::size_t>(weight.rows()), 0.0);
  const ScaleIndex index(weight, scales.size(), block);
  for (std::int64_t g = 0; g < weight.groups; ++g) {
    for (std::int64_t o = 0; o < weight.outputs; ++o) {
      const auto row = static_cast<std::size_t>(g * weight.outputs + o);
      for (std::int64_t i = 0; i < weight.inputs; ++i) {
        const std::int64_t column = g * weight.inputs + i;
        const auto scale = static_cast<double>(scales[index(g * weight.outputs + o, column)]);
        double lost = 0.0;
        double drifted = 0.0;
        for (std::int64_t k = 0; k < weight.taps; ++k) {
          const std::size_t at = weight.index(g, o, i, k);
          const double rounded = scale * stored[at];
          lost += (static_cast<double>(weight.data[at]) - rounded) *
                  coverage[static_cast<std::size_t>(k)];
          if (!mean_drift.empty())
            drifted += rounded * mean_drift[static_cast<std::size_t>(column * weight.taps + k)];
        }
        shift[row] += lost * input_means[static_cast<std::size_t>(column)] + drifted;
      }
    }
  }
  return shift;
}

}  // namespace ocs
