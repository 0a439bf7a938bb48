// Activation functions that stay float behind a quantized value. What they do with a range decides which range is worth levels: SiLU and
// HardSwish send large negative values to zero, so a grid that reaches down to the smallest value wastes most of its levels.
#pragma once

#include <optional>
#include <string>

#include "ocs/calibrate/histogram.h"
#include "ocs/clip/clip.h"
#include "ocs/graph/graph.h"

namespace ocs {

struct ActivationFunction {
  enum class Kind { sigmoid, silu, hard_sigmoid, hard_swish, tanh };
  Kind kind = Kind::sigmoid;
  // The function is applied to factor * x + offset (scalar Mul and Add on the way).
  double factor = 1.0;
  double offset = 0.0;
  bool operator==(const ActivationFunction&) const = default;
};

[[nodiscard]] double apply(const ActivationFunction& function, double x);

// The function that is all that reads `value`, recognised as one operator or written out (x * Sigmoid(x), x * Clip(x + 3, 0, 6) / 6).
[[nodiscard]] std::optional<ActivationFunction> function_behind(const Graph& graph,
                                                                const std::string& value);

// The range [low, high] around zero whose grid of `steps` steps gives the least squared error behind the function, over the histogram.
[[nodiscard]] ClipRange range_for_function(const Histogram& histogram,
                                           const ActivationFunction& function, int steps);

}  // namespace ocs
