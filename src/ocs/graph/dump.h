// The canonical text of a model: for goldens, --dump-after and reviews.
#pragma once

#include <string>

#include "ocs/graph/model.h"

namespace ocs {

// One statement a line: versions, metadata, inputs, outputs, nodes in their order with attributes sorted by name, initializers and known
// shapes sorted by name. Two models with the same text compute the same (up to a collision of a 64-bit hash): tensors of up to 8 values are
// written out, of larger ones range and hash of all values are shown, whatever storage form they have.
//
//   ir 8; opset 13;
//   input x float[1,3,?,8];
//   output z float[1,4,?,8];
//   conv: y = Conv(x, w, b) {group = 1, pads = [1, 1, 1, 1]};
//   init b float[4] {0, 1.5, -2, 0};
//   init w float[4,3,3,3] in [-2.5, 1.25], hash 89abcdef01234567;
[[nodiscard]] std::string dump(const Model& model);

}  // namespace ocs
