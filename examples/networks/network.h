// The networks of the paper whose trained weights are not at hand: their true structure (torchvision's,
// under its names of the layers) with random weights, so that all that does not hang on the weights can
// be tried: sizes, forms, kernels, time, memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"

namespace ocs::networks {

struct NetworkOptions {
  std::int64_t resolution = 0;  // pixels a side; 0: 224, or 299 of inception_v3
  double width = 1.0;           // share of the channels of every layer but the last
  std::int64_t classes = 1000;
  std::uint64_t seed = 1;
};

// "vgg16_bn", "densenet121", "inception_v3".
[[nodiscard]] std::vector<std::string> network_names();
[[nodiscard]] std::int64_t resolution_of(const std::string& name, const NetworkOptions& options);

// Input "input", [N, 3, resolution, resolution]; output "logits", [N, classes]; opset 13. Weights are
// normal with variance 2 / fan-in (He et al., arXiv 1502.01852); scale and shift of each
// BatchNormalization are random, mean and variance those of normal data that pass through the network
// once. The same for equal options. Throws Error(bad_input) for an unknown name, and for a resolution
// below 32 (inception_v3: 75), which leaves no pixel at the end.
[[nodiscard]] Model build_network(const std::string& name, const NetworkOptions& options,
                                  const Engine& engine);

}  // namespace ocs::networks
