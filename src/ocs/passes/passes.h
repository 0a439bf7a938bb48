// The float -> equal float rewrites, in the order in which `quantize` calls them. Each is a free function from a model to a model;
// docs/architecture.md says what each brings, the .cpp opens with a before/after sketch.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ocs/graph/pass_result.h"

namespace ocs {

// Gives every node (bodies too) a unique name: its own where it has one, else its operator and first output.
[[nodiscard]] PassResult name_nodes(Model model);

// Initializers that are also graph inputs are initializers only (IR 4); Constant nodes become initializers; Identity, Cast, Transpose,
// Reshape, Squeeze, Unsqueeze, Flatten of constants are computed. Small integer Shape arithmetic is left alone.
[[nodiscard]] PassResult lift_constants(Model model);

// Raises the default domain's opset to `target` (13, 21 or 25) and the IR version with it, by a rule for every operator whose definition
// changed on the way. Throws Error(unsupported) naming node and operator for a standard operator without a rule. No-op at or above.
[[nodiscard]] PassResult upgrade_opset(Model model, std::int64_t target);

// Float16 and bfloat16 models compute in float: initializers widened, Cast at graph inputs and outputs (which keep their types).
[[nodiscard]] PassResult widen_to_float(Model model);

// Gemm: alpha folded into the weight, beta into the bias, transB = 0, the bias of shape [N]. Only where weight (and bias) are constant.
[[nodiscard]] PassResult normalize_gemm(Model model);

// BatchNormalization behind Conv, ConvTranspose, Gemm or MatMul (also through Identity and Dropout) is folded into the weight and bias.
// `absorbed`: what was folded into which node, for rounding before the fold (recipe `paper`).
struct AbsorbedBatchNorm {
  std::string unfolded_weight{};       // initializer with the weight as stored; kept only where asked
  std::vector<float> multiplier{};     // g = gamma / sqrt(var + eps) of each output channel; folded row = g * unfolded row
};
struct FoldResult {
  PassResult pass{};
  std::map<std::string, AbsorbedBatchNorm> absorbed{};  // by node name
};
[[nodiscard]] FoldResult fold_batchnorm(Model model, bool keep_unfolded);

// Drops nodes whose outputs nobody reads (no graph output, no capture) and initializers that nobody reads. Nodes of custom domains with
// side effects unknown to us are kept.
[[nodiscard]] PassResult prune(Model model);

}  // namespace ocs
