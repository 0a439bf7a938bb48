#include "ocs/lint/targets.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr std::string_view ort = "ONNX Runtime 1.32";

constexpr std::array targets{
    LintTarget{.name = "ort-cpu",
               .engine = ort,
               .what = "x86-64",
               .newest_opset = 27,
               .is_verified = true},
    LintTarget{.name = "ort-cpu-vnni",
               .engine = ort,
               .what = "x86-64 with VNNI",
               .newest_opset = 27,
               .is_verified = true},
};

}  // namespace

std::span<const LintTarget> lint_targets() { return targets; }

std::vector<std::string> lint_target_names() {
  std::vector<std::string> names;
  for (const LintTarget& target : targets) names.emplace_back(target.name);
  return names;
}

const LintTarget& lint_target(std::string_view name) {
  const auto* const found = std::ranges::find(targets, name, &LintTarget::name);
  if (found == targets.end())
    throw_bad_input(
        fmt::format("no target named '{}'{}", name, did_you_mean(name, lint_target_names())));
  return *found;
}

}  // namespace ocs
