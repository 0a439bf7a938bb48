// docs/quantization.md as a program: the same steps, first in plain arithmetic, then by the library.
// ctest compares what it prints with the last section of that page.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "ocs/clip/clip.h"
#include "ocs/clip/grid_fit.h"
#include "ocs/quant/affine.h"

namespace {

const std::vector<float> weights{-1.2F, -0.7F, -0.4F, -0.1F, 0.2F, 0.3F, 0.6F, 0.9F, 1.1F, 2.0F};

// Section "A grid": real = scale * stored, N = 2^(bits - 1) - 1 steps on each side of zero.
void show_grid(const char* title, float threshold, int bits) {
  const ocs::Grid grid{.bits = bits};
  const float scale = threshold / static_cast<float>(grid.steps());
  std::printf("%s: threshold %.3f, scale %.3f\n", title, static_cast<double>(threshold),
              static_cast<double>(scale));
  double error = 0.0;
  for (const float weight : weights) {
    // By hand: round half to even, clamp, multiply again.
    const float highest = static_cast<float>(grid.highest());
    const float level = std::clamp(std::nearbyint(weight / scale), -highest, highest);
    const float back = level * scale;
    error += std::pow(static_cast<double>(weight - back), 2);
    // By the library.
    const std::int32_t stored = ocs::quantize(weight, scale, 0, grid.lowest(), grid.highest());
    const bool same =
        stored == static_cast<std::int32_t>(level) && ocs::dequantize(stored, scale, 0) == back;
    std::printf("  %5.2f -> %2d -> %5.2f%s\n", static_cast<double>(weight), stored,
                static_cast<double>(ocs::dequantize(stored, scale, 0)),
                same ? "" : "  (the library differs)");
  }
  std::printf("  squared error %.3f\n", error);
}

// Section "Choosing the threshold": every method's own answer, and what it costs.
void show_methods(int bits) {
  const ocs::ClipInput input = ocs::clip_input(weights, {.bits = bits});
  std::printf("thresholds at %d bits\n", bits);
  for (const char* method : {"max", "mse", "mse-hist", "aciq", "percentile:80", "ratio:0.5"}) {
    const float threshold = ocs::threshold(ocs::parse_clip(method), input);
    std::printf("  %-13s %.3f  squared error %.3f\n", method, static_cast<double>(threshold),
                ocs::rounding_error(input, threshold));
  }
}

// Section "Ranges with two ends": zero must stay a level, so the zero point is rounded first.
void show_range(int bits) {
  const int steps = (1 << bits) - 1;
  const ocs::ClipInput input = ocs::clip_input(weights, {.bits = bits, .is_signed = false});
  const ocs::ClipRange range = ocs::clip_range(ocs::MaxClip{}, input);
  const float scale = (range.high - range.low) / static_cast<float>(steps);
  const auto zero_point = static_cast<std::int32_t>(std::nearbyint(-range.low / scale));
  std::printf("range %.2f .. %.2f at %d bits: scale %.3f, zero point %d\n",
              static_cast<double>(range.low), static_cast<double>(range.high), bits,
              static_cast<double>(scale), zero_point);
  for (const float real : {range.low, 0.0F, range.high}) {
    const std::int32_t stored = ocs::quantize(real, scale, zero_point, 0, steps);
    std::printf("  %5.2f -> %2d -> %5.2f\n", static_cast<double>(real), stored,
                static_cast<double>(ocs::dequantize(stored, scale, zero_point)));
  }
}

}  // namespace

int main() {
  show_grid("unclipped", 2.0F, 3);
  show_grid("clipped", 1.5F, 3);
  show_methods(3);
  show_range(3);
  return 0;
}
