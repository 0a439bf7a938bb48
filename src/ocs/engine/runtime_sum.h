// Relu(Add(a, b)) in one pass. The runtime makes an Add and its Relu part of the convolution before them, but not where a watcher looks
// at what the convolution gives; they are two more passes over a feature map then, as much as a histogram of it costs.
#pragma once

#include "ocs/engine/runtime_values.h"
#include "ocs/graph/model.h"

namespace ocs {

// `optimized`: a graph of the runtime's in which values are in blocks of channels (NCHWc). A Relu that alone reads the sum of two such
// values becomes an operator of `domain`, which add_sum_operator adds to it, and reads the two; the Add stays and nobody reads it.
void join_sums(Model& optimized, const char* domain);

void add_sum_operator(Ort::CustomOpDomain& domain);

}  // namespace ocs
