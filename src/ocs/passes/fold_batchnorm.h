#pragma once

#include <map>
#include <string>
#include <vector>

#include "ocs/graph/pass_result.h"

namespace ocs {

// What was folded into a node, for rounding before the fold (recipe `paper`).
struct AbsorbedBatchNorm {
  std::string unfolded_weight{};    // initializer with the weight as it was, in the same layout
  std::vector<float> multiplier{};  // g of each output channel: folded row = g * unfolded row
  bool operator==(const AbsorbedBatchNorm&) const = default;
};

// What a BatchNormalization made of each channel of its input in training: a mean and a deviation.
struct NormalChannels {
  std::vector<double> mean{};       // its B
  std::vector<double> deviation{};  // |scale|, less what epsilon takes from it
  bool operator==(const NormalChannels&) const = default;
};

struct FoldResult {
  PassResult pass{};
  std::map<std::string, NormalChannels> normals{};      // by value: what each folded one wrote
  std::map<std::string, AbsorbedBatchNorm> absorbed{};  // by the name of the node
};

// Folds BatchNormalization of inference behind Conv, ConvTranspose, Gemm and MatMul into them, also
// through Identity and Dropout in between and an Add of one constant for each channel:
//   g = scale / sqrt(var + epsilon),   weight'[o,..] = g[o] weight[o,..],
//   bias'[o] = g[o] (bias[o] - mean[o]) + b[o]
// in double, rounded once. g may be negative or zero. The folded node (for MatMul: the Add behind
// it) writes what the BatchNormalization wrote, so that activations have the same names folded or
// not. Needs: all five parameters and the weight constant and float; nobody else reads the values
// in between. MatMul: a constant right side of rank 2 and an output of rank 2. New tensors are new
// initializers; `prune` drops the old ones.
// `keep_unfolded`: fill `absorbed`; then hand the names in unfolded_weight to prune as `keep`. Call
// normalize_gemm before, not behind, so that both weights of a Gemm have one layout.
// Notes: one for each fold, one for each BatchNormalization that stays (with the reason).
[[nodiscard]] FoldResult fold_batchnorm(Model model, bool keep_unfolded);

}  // namespace ocs
