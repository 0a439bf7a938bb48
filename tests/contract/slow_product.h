// The obvious product of data and weight: loops over ChannelMatrix and nothing else. The judge of
// every LinearOp.
#pragma once

#include <vector>

#include "ocs/ops/op.h"

namespace ocs {

struct Product {
  std::vector<double> values{};
  std::vector<double>
      magnitudes{};  // sum of |x| |w| of each value: what rounding errors are measured against
};

// What the node computes without its bias. `shape`: of the engine's output (auto_pad is solved for
// it).
[[nodiscard]] Product slow_product(const onnx::NodeProto& node, const Operand& operand,
                                   const ChannelMatrix& weight, const Tensor& data,
                                   const Shape& shape);

}  // namespace ocs
