// Every decision of the quantizer as a value: which layers, which integers, which activations at which scale. The model is still float.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ocs/ops/op.h"
#include "ocs/quant/params.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// One quantized activation tensor: where its Q/DQ pair stands.
struct ActivationPlan {
  QuantParams params{};            // container grid: uint8 (or uint16), scalar scale and zero point
  std::int32_t level_low = 0;      // levels in use: narrower than the container for fewer than 8 bits and for symmetric grids
  std::int32_t level_high = 255;
  bool operator==(const ActivationPlan&) const = default;
};

struct LayerPlan {
  std::string node{};
  std::string op{};
  Operand operand{};
  std::string weight{};                  // initializer of the float weight (as the float model holds it)
  QuantParams params{};                  // of the weight, in its layout; BatchNormalization that was rounded first sits in the scales
  int weight_bits = 8;
  std::optional<int> act_bits{};         // of its data input
  std::vector<std::int16_t> stored{};    // integers in the layout of the weight, unsplit; |q| <= copies * N
  std::vector<int> copies{};             // physical channels of each input channel; empty: no splits
  SplitForm form = SplitForm::gather;    // how copies are written, decided (never automatic)
  std::vector<float> bias{};             // one for each output channel, corrected; empty: none
  std::int64_t macs = 0;                 // of one item; 0 where shapes are unknown
  double predicted_sqnr_db = 0.0;        // weight error alone
  std::string remark{};                  // what a reader should know: "depthwise: not split", ...
};

struct Skipped {
  std::string node{};
  std::string op{};
  std::string reason{};
  std::int64_t macs = 0;
  bool operator==(const Skipped&) const = default;
};

struct Plan {
  std::vector<LayerPlan> layers{};                    // in graph order
  std::map<std::string, ActivationPlan> activations{};  // by value name
  std::vector<Skipped> skipped{};                     // layers left in float, each with its reason
};

}  // namespace ocs
