#include "passes/same_outputs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <variant>

#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/verify.h"
#include "support/models.h"

namespace ocs {
namespace {

double distance(double a, double b) {
  if (std::isnan(a) && std::isnan(b)) return 0.0;
  if (a == b) return 0.0;
  return std::isfinite(a) && std::isfinite(b) ? std::abs(a - b)
                                              : std::numeric_limits<double>::infinity();
}

void expect_close(const std::string& name, const Tensor& before, const Tensor& after,
                  double tolerance) {
  EXPECT_EQ(before.type(), after.type()) << name;
  ASSERT_EQ(before.shape, after.shape) << name;
  double largest = 1.0;
  double furthest = 0.0;
  std::visit(
      [&](const auto& old_values) {
        using Vector = std::decay_t<decltype(old_values)>;
        const auto* new_values = std::get_if<Vector>(&after.values);
        if (new_values == nullptr) return;
        for (std::size_t i = 0; i < old_values.size(); ++i) {
          const auto a = static_cast<double>(old_values[i]);
          if (std::isfinite(a)) largest = std::max(largest, std::abs(a));
          furthest = std::max(furthest, distance(a, static_cast<double>((*new_values)[i])));
        }
      },
      before.values);
  EXPECT_LE(furthest, tolerance * largest) << name;
}

NamedTensors run(const Model& model, const NamedTensors& inputs) {
  return run_once(
      onnx_runtime()(model, {.optimize = false, .config = {{"session.disable_prepacking", "1"}}}),
      inputs);
}

}  // namespace

void expect_same_outputs(const Model& before, const Model& after, double tolerance,
                         std::uint64_t seed, std::int64_t free_extent) {
  expect_same_outputs(before, after, tolerance, random_inputs(before, seed, free_extent));
}

void expect_same_outputs(const Model& before, const Model& after, double tolerance,
                         const NamedTensors& inputs) {
  verify(after);
  EXPECT_EQ(before.inputs(), after.inputs());
  const NamedTensors old_outputs = run(before, inputs);
  const NamedTensors new_outputs = run(after, inputs);
  ASSERT_EQ(old_outputs.size(), new_outputs.size());
  EXPECT_FALSE(old_outputs.empty());
  for (const auto& [name, tensor] : old_outputs) {
    ASSERT_TRUE(new_outputs.contains(name)) << name;
    expect_close(name, tensor, new_outputs.at(name), tolerance);
  }
}

}  // namespace ocs
