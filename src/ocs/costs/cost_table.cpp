#include "ocs/costs/cost_table.h"

#include <cmath>

namespace ocs {
namespace {

double rounded_up(double value, std::int64_t multiple) {
  const auto step = static_cast<double>(multiple);
  return std::ceil(value / step) * step;
}

}  // namespace

Kernel priced_as(const CostTable& costs, const KernelWork& work) {
  if (work.kernel != Kernel::depthwise) return work.kernel;
  return rounded_up(work.outputs, costs.depthwise_tile) == work.outputs
             ? Kernel::depthwise
             : Kernel::depthwise_off_tile;
}

double padded_products(const CostTable& costs, const KernelWork& work) {
  if (work.kernel == Kernel::depthwise) return work.outputs * work.taps * work.positions;
  return rounded_up(work.inputs, costs.input_multiple) *
         rounded_up(work.outputs, costs.output_tile) * work.taps * work.positions;
}

double predicted_ns(const CostTable& costs, const KernelWork& work) {
  const KernelCost& cost = costs.kernels[static_cast<std::size_t>(priced_as(costs, work))];
  return cost.node + cost.multiply * padded_products(costs, work) +
         cost.weight * work.inputs * work.outputs * work.taps +
         cost.patch * work.inputs * work.taps * work.positions +
         cost.result * work.outputs * work.positions;
}

double predicted_ns(const CostTable& costs, Move move, double values) {
  const MoveCost& cost = costs.moves[static_cast<std::size_t>(move)];
  return cost.node + cost.value * values;
}

}  // namespace ocs
