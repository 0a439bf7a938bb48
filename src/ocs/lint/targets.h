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
  bool is_verified = false;       // held against the engine's own optimized graph by tests
  // int8 activations have kernels of their own; elsewhere the engine makes them uint8 where it can.
  bool signed_is_integer = false;
};

[[nodiscard]] std::span<const LintTarget> lint_targets();
[[nodiscard]] std::vector<std::string> lint_target_names();
// Throws Error(bad_input) with the nearest name where there is none of this name.
[[nodiscard]] const LintTarget& lint_target(std::string_view name);

}  // namespace ocs
