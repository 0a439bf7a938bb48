// Means and variances of channels without data: from what BatchNormalization was trained to make of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/passes/fold_batchnorm.h"

namespace ocs {

// One value for each channel (axis 1).
struct ChannelEstimate {
  std::vector<double> mean{};
  std::vector<double> variance{};
};

// Nagel et al. 2019 (arXiv 1906.04721), section 4.2.1, beyond Relu: behind a BatchNormalization a channel is taken as normal with
// the mean and the deviation that its parameters state (`normals`: those that were folded, by value; others are read from the graph). What is computed from one such value point by
// point - Relu, Clip, LeakyRelu, Elu, Sigmoid, Tanh, HardSigmoid, HardSwish, products and sums of these, scalars - is integrated numerically. Sums of
// different values are normal again, taken as independent. Averages keep mean and variance (the latter is an upper bound); Concat along the
// channels, Flatten and the like pass on. Everything else is unknown: not in the result.
[[nodiscard]] std::map<std::string, ChannelEstimate> estimate_channels(
    const Graph& graph, const std::map<std::string, NormalChannels>& normals);

}  // namespace ocs
