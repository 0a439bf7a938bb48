// What a forecast's nodes cost on this machine: the times of the engine's kernels, given to the nodes of the model that they stand for.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ocs/engine/kernel_times.h"
#include "ocs/graph/model.h"
#include "ocs/lint/forecast.h"

namespace ocs {

// Milliseconds of one run.
struct NodeTimes {
  // By node of the forecast. None: it has no kernel of its own, because it is part of another one's or was not needed.
  std::vector<std::optional<double>> nodes{};
  double integers = 0.0;  // of nodes that run on integers
  double floats = 0.0;    // of the other nodes
  std::vector<KernelTime>
      conversions{};  // QuantizeLinear and DequantizeLinear, those that take most first
  // By operator: what the engine put in (ReorderOutput, Transpose), views, and kernels for several nodes under a name of their own (BiasGelu).
  std::map<std::string, double> others{};
  double run = 0.0;  // all of them

  [[nodiscard]] double conversion_ms() const;
};

// `model`: whose nodes have names (name_nodes), as those of the forecast.
[[nodiscard]] NodeTimes time_nodes(const Model& model, const LintForecast& forecast,
                                   std::span<const KernelTime> kernels);

}  // namespace ocs
