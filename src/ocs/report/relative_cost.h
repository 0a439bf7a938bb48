// What copies of channels cost a network, as the paper's Table 5 counts it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "ocs/report/report.h"

namespace ocs {

// With copies over without them; none where nothing is known.
struct RelativeCost {
  std::optional<double> weights{};      // numbers in the weights
  std::optional<double> activations{};  // numbers in the data that the layers read
  std::optional<double> macs{};
  bool operator==(const RelativeCost&) const = default;
};

// Sums over the quantized layers whose figure is known; layers left in float have no copies and are
// not counted. All copies count as real, whatever form they are written in.
[[nodiscard]] RelativeCost relative_cost(std::span<const LayerReport> layers);

// "weights 1.011, activations 1.018, MACs 1.013"; "-" for what is not known.
[[nodiscard]] std::string relative_text(const RelativeCost& cost);

}  // namespace ocs
