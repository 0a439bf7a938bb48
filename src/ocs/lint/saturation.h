// Layers that x86 processors without VNNI may compute wrongly: their kernels add two products of uint8 and int8 in 16 bits.
#pragma once

#include <string>

#include "ocs/lint/working_graph.h"

namespace ocs {

// How many pairs of the layer's weights can saturate, as a sentence; "" where none can, or where it is no layer of uint8 data and int8
// weights. `layer`: of QDQ or QOperator form or quantized as it runs, on integers in the graph behind the engine's rewrites. Zero points of the weights do not
// matter: the kernel multiplies what is stored and corrects the sum.
[[nodiscard]] std::string saturation_warning(const WorkingGraph& graph, const Step& layer);

}  // namespace ocs
