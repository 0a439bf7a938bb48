// One view for every weight layout: W[group, output, input, tap] of Conv, ConvTranspose, Gemm,
// MatMul (docs/quantization.md). Everything numeric works on this view; only the rows of ops/ know
// how an operator stores its weight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ocs {

struct ChannelMatrix {
  std::span<const float> data{};
  std::int64_t groups = 1;
  std::int64_t outputs = 0;  // output channels of one group
  std::int64_t inputs = 0;   // input channels of one group
  std::int64_t taps = 1;     // spatial positions of the kernel
  std::int64_t group_stride = 0;
  std::int64_t output_stride = 0;
  std::int64_t input_stride = 0;
  std::int64_t tap_stride = 1;

  [[nodiscard]] std::int64_t rows() const { return groups * outputs; }    // all output channels
  [[nodiscard]] std::int64_t columns() const { return groups * inputs; }  // all input channels
  [[nodiscard]] std::int64_t size() const { return groups * outputs * inputs * taps; }
  [[nodiscard]] std::size_t index(std::int64_t group, std::int64_t output, std::int64_t input,
                                  std::int64_t tap) const {
    return static_cast<std::size_t>(group * group_stride + output * output_stride +
                                    input * input_stride + tap * tap_stride);
  }
  [[nodiscard]] float at(std::int64_t group, std::int64_t output, std::int64_t input,
                         std::int64_t tap) const {
    return data[index(group, output, input, tap)];
  }
};

// That of weights which lie side by side in the order [group, output, input, tap].
[[nodiscard]] inline ChannelMatrix dense_view(std::span<const float> data, std::int64_t groups,
                                              std::int64_t outputs, std::int64_t inputs,
                                              std::int64_t taps) {
  return {.data = data,
          .groups = groups,
          .outputs = outputs,
          .inputs = inputs,
          .taps = taps,
          .group_stride = outputs * inputs * taps,
          .output_stride = inputs * taps,
          .input_stride = taps};
}

// Calls visit(row, column, index into data) for every weight: row = group * outputs + output,
// column = group * inputs + input; ordered by group, output, input, tap.
template <typename Visit>
void for_each_weight(const ChannelMatrix& weight, Visit&& visit) {
  for (std::int64_t g = 0; g < weight.groups; ++g)
    for (std::int64_t o = 0; o < weight.outputs; ++o)
      for (std::int64_t i = 0; i < weight.inputs; ++i)
        for (std::int64_t k = 0; k < weight.taps; ++k)
          visit(g * weight.outputs + o, g * weight.inputs + i, weight.index(g, o, i, k));
}

}  // namespace ocs
