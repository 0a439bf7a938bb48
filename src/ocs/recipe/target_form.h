// What the engine that a model is written for asks of its integers (docs/linting.md has the sources). One row an engine.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocs {

enum class BiasForm {
  int32,    // scale of the data times scale of the weights
  int8,     // a power of two as scale of its own
  float32,  // not quantized
};

struct TargetForm {
  std::string_view name{};
  std::string_view engine{};
  bool guards_16_bits = false;      // weights are kept from saturating sums of 16 bits
  bool signed_activations = false;  // int8 with zero point 0, in place of uint8
  bool one_weight_scale = false;    // for the whole tensor
  bool powers_of_two = false;       // as scales
  BiasForm bias = BiasForm::int32;
  bool quantizes_results = false;  // those that leave the graph too
  bool takes_free_extents = true;  // of the inputs; else they get those of the data
};

[[nodiscard]] std::span<const TargetForm> target_forms();
[[nodiscard]] std::vector<std::string> target_names();
// Throws Error(bad_input) with the nearest name where there is none of this name.
[[nodiscard]] const TargetForm& target_form(std::string_view name);

}  // namespace ocs
