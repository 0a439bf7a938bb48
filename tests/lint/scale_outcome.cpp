#include "lint/scale_outcome.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "lint/engine_truth.h"
#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/passes/name_nodes.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// `of`: the value at an index.
template <typename Of>
std::string init(std::string_view name, std::string_view type, const Shape& shape, const Of& of) {
  std::vector<std::string> values;
  for (std::int64_t i = 0; i < element_count(shape); ++i)
    values.push_back(fmt::format("{}", of(i)));
  return fmt::format("init {} {}[{}] {{{}}};\n", name, type, fmt::join(shape, ", "),
                     fmt::join(values, ", "));
}

}  // namespace

std::string scale_init(std::string_view name, const Shape& shape) {
  return init(name, "float", shape,
              [](std::int64_t i) { return 0.01 + 0.02 * static_cast<double>(i); });
}

std::string zero_init(std::string_view name, std::string_view type, const Shape& shape,
                      std::int64_t first) {
  return init(name, type, shape, [&](std::int64_t i) { return first + i; });
}

std::string weight_init(std::string_view name, const Shape& shape) {
  return init(name, "int8", shape, [](std::int64_t i) { return i * 37 % 41 - 20; });
}

namespace {

// What the engine does with a model.
struct Outcome {
  bool runs = false;
  std::optional<bool> is_right{};  // as without any rewrite, where that runs
};

Outcome outcome(const Model& model) {
  const NamedTensors inputs = random_inputs(model, 3);
  const auto run = [&](bool optimize) -> std::optional<NamedTensors> {
    try {
      return run_once(onnx_runtime()(model, {.optimize = optimize}), inputs);
    } catch (const Error&) {
      return std::nullopt;
    }
  };
  const std::optional<NamedTensors> rewritten = run(true);
  const std::optional<NamedTensors> plain = run(false);
  Outcome result{.runs = rewritten.has_value()};
  if (!rewritten || !plain) return result;
  const std::span<const float> a = plain->begin()->second.as<float>();
  const std::span<const float> b = rewritten->begin()->second.as<float>();
  float largest = 0;
  float difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i]));
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  constexpr float rounding = 0.05F;  // a step of the result's scale at most
  result.is_right = difference <= rounding * largest;
  return result;
}

}  // namespace

void expect_foreseen(const std::string& text) {
  SCOPED_TRACE(text);
  const Model model = name_nodes(text_model(text)).model;
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  const bool is_refused =
      !result.refusal.empty() || std::ranges::any_of(result.nodes, [](const NodeForecast& node) {
        return node.rule == LintRule::engine_refuses;
      });
  const Outcome seen = outcome(model);
  if (is_refused) {
    // Some that lint says fail, or else are wrong, run.
    EXPECT_TRUE(!seen.runs || seen.is_right == false) << result.refusal;
    return;
  }
  ASSERT_TRUE(seen.runs);
  expect_engine_agrees(model, lint_target("ort-cpu"));
  if (seen.is_right.has_value()) {
    EXPECT_EQ(result.warnings == 0, *seen.is_right);
  }
}

}  // namespace ocs
