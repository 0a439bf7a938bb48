#include "ocs/round/round.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/methods.h"
#include "ocs/quant/scale_index.h"

namespace ocs {

void check(const RoundProblem& problem) {
  const auto rows = static_cast<std::size_t>(
      problem.weight.rows() * ScaleIndex::count_of(problem.weight.inputs, problem.block));
  const auto columns = static_cast<std::size_t>(problem.weight.columns());
  if (problem.scales.size() != 1 && problem.scales.size() != rows) {
    throw_internal(
        fmt::format("rounding: {} scales for {} rows and blocks", problem.scales.size(), rows));
  }
  if (!problem.copies.empty() && problem.copies.size() != columns) {
    throw_internal(
        fmt::format("rounding: {} copy counts for {} channels", problem.copies.size(), columns));
  }
  const auto side = static_cast<std::size_t>(problem.weight.inputs * problem.weight.taps);
  const std::size_t squares = static_cast<std::size_t>(problem.weight.groups) * side * side;
  if (!problem.energy.empty() && problem.energy.size() != squares) {
    throw_internal(fmt::format("rounding: {} second moments for {} groups of {} columns",
                               problem.energy.size(), problem.weight.groups, side));
  }
  if (!problem.drift.empty() && problem.drift.size() != problem.energy.size()) {
    throw_internal(fmt::format("rounding: {} values of drift for {} second moments",
                               problem.drift.size(), problem.energy.size()));
  }
  if (!problem.exact.empty() &&
      (problem.weight.groups != 1 || problem.weight.taps != 1 ||
       !std::ranges::is_sorted(problem.exact) || problem.exact.front() < 0 ||
       problem.exact.back() >= problem.weight.inputs))
    throw_internal("rounding: exact channels that are none of one group with one tap");
  const auto beside = static_cast<std::size_t>(
      problem.weight.rows() *
      ScaleIndex::count_of(static_cast<std::int64_t>(problem.exact.size()), problem.block));
  if (!problem.exact_scales.empty() && problem.exact_scales.size() != beside)
    throw_internal(fmt::format("rounding: {} scales beside a matrix that asks for {}",
                               problem.exact_scales.size(), beside));
  if (problem.block > 0 && problem.scales.size() == 1 && rows != 1)
    throw_internal("rounding: one scale for many blocks");
  if (problem.fits_scales && (problem.scales.size() != rows || problem.block > 0))
    throw_internal("rounding: only where every row has a scale of its own can one be fitted");
  const auto usable = [](float scale) { return std::isfinite(scale) && scale > 0.0F; };
  if (!std::ranges::all_of(problem.scales, usable)) {
    throw_internal("rounding: a scale that is not finite and positive");
  }
  if (std::ranges::any_of(problem.copies, [](int count) { return count < 1; })) {
    throw_internal("rounding: a channel without a copy");
  }
}

Rounded round_weights(const Rounding& rounding, const RoundProblem& problem) {
  return std::visit([&](const auto& method) { return round_weights(method, problem); }, rounding);
}

bool needs_energy(const Rounding& rounding) {
  return !std::holds_alternative<NearestRounding>(rounding);
}

bool is_sequential(const Rounding& rounding) {
  return std::visit(
      [](const auto& method) {
        if constexpr (requires { method.sequential; }) return method.sequential;
        return false;
      },
      rounding);
}

bool fits_scales(const Rounding& rounding) {
  return std::visit(
      [](const auto& method) {
        if constexpr (requires { method.refine; }) return method.refine;
        return false;
      },
      rounding);
}

Rounding parse_rounding(std::string_view text) {
  return parse_method<Rounding>(text, "rounding method");
}

std::string to_string(const Rounding& rounding) { return method_text(rounding); }

std::vector<std::string> rounding_names() { return method_names<Rounding>(); }

}  // namespace ocs
