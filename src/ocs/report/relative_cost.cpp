#include "ocs/report/relative_cost.h"

#include <fmt/format.h>

namespace ocs {
namespace {

std::optional<double> relative(std::span<const LayerReport> layers,
                               std::int64_t LayerReport::*plain, std::int64_t LayerReport::*extra) {
  double before = 0.0;
  double after = 0.0;
  for (const LayerReport& layer : layers) {
    if (!layer.quantized) continue;
    before += static_cast<double>(layer.*plain);
    after += static_cast<double>(layer.*plain + layer.*extra);
  }
  if (before == 0.0) return std::nullopt;
  return after / before;
}

}  // namespace

RelativeCost relative_cost(std::span<const LayerReport> layers) {
  return {
      .weights = relative(layers, &LayerReport::weights, &LayerReport::extra_weights),
      .activations = relative(layers, &LayerReport::activations, &LayerReport::extra_activations),
      .macs = relative(layers, &LayerReport::macs, &LayerReport::extra_macs)};
}

std::string relative_text(const RelativeCost& cost) {
  const auto text = [](const std::optional<double>& figure) {
    return figure ? fmt::format("{:.3f}", *figure) : "-";
  };
  return fmt::format("weights {}, activations {}, MACs {}", text(cost.weights),
                     text(cost.activations), text(cost.macs));
}

}  // namespace ocs
