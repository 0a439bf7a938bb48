// The engines that a forecast can be made for, one row each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocs {

struct LintTarget {
  std::string_view name{};
  std::string_view engine{};      // the version that the forecast is for
  std::string_view what{};        // where it runs
  std::int64_t newest_opset = 0;  // that it loads
  // What of it is not held against the engine's own optimized graph by tests; "": all is.
  std::string_view unverified = "from documents and issues, not held against the engine";
  // Whether the engine is ONNX Runtime's CPU provider, whose rewrites are known; the others are judged by acceptance_rows().
  bool is_onnx_runtime = true;
  std::string_view operators{};    // of the others, with an integer form, blanks between; "": all
  std::string_view q_operators{};  // of the others, of the QOperator form
  bool takes_free_extents = true;
  bool adds_in_16_bits = false;     // kernels of uint8 and int8 can saturate
  bool may_add_in_16_bits = false;  // on some of its processors
  bool takes_bodies = true;         // If, Loop and Scan
  // int8 activations have kernels of their own; elsewhere the engine makes them uint8 where it can.
  bool signed_is_integer = false;

  [[nodiscard]] bool is_verified() const { return unverified.empty(); }
};

[[nodiscard]] std::span<const LintTarget> lint_targets();
[[nodiscard]] std::vector<std::string> lint_target_names();
// Throws Error(bad_input) with the nearest name where there is none of this name.
[[nodiscard]] const LintTarget& lint_target(std::string_view name);

}  // namespace ocs
