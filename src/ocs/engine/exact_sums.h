#pragma once

#include "ocs/engine/engine.h"

namespace ocs {

// Opens a model so that its integer layers add in 32 bits on every processor. ONNX Runtime's kernels of uint8 and int8 add pairs in 16 bits
// on x86 without VNNI; asked for precision it stores the weights as uint8 there, which takes up to twice the time. Where it
// refuses that (1.32: two layers with equal weights), layers between DequantizeLinear and QuantizeLinear run in float, on the same rounded values. `config`
// of the options is replaced. Throws what the engine throws.
[[nodiscard]] RunModel open_with_exact_sums(const Engine& engine, const Model& model,
                                            EngineOptions options);

}  // namespace ocs
