#include "lint/kernel_sums.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/lint/forecast.h"
#include "support/text_model.h"

namespace ocs {

std::vector<std::int64_t> integers(const std::string& type, std::uint64_t seed,
                                   std::int64_t count) {
  std::vector<std::int64_t> values;
  Random random(seed);
  const bool is_signed = type == "int8";
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<std::int64_t>(random.below(is_signed ? 255 : 256)) -
                     (is_signed ? 127 : 0));
  return values;
}

std::string constant(const std::string& name, const std::string& type, const Shape& shape,
                     const std::vector<std::int64_t>& values) {
  return fmt::format("init {} {}{} {{{}}};", name, type, to_string(shape), fmt::join(values, ", "));
}

std::int64_t sum_in_pairs(std::span<const std::int64_t> data,
                          std::span<const std::int64_t> weight) {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < data.size(); k += 2) {
    std::int64_t pair = data[k] * weight[k];
    if (k + 1 < data.size()) pair += data[k + 1] * weight[k + 1];
    sum += std::clamp<std::int64_t>(pair, -32768, 32767);
  }
  return sum;
}

std::int64_t sum_in_full(std::span<const std::int64_t> data, std::span<const std::int64_t> weight) {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < data.size(); ++k) sum += data[k] * weight[k];
  return sum;
}

std::vector<float> run(const std::string& text, const Shape& shape,
                       const std::vector<std::int64_t>& data, const std::string& type) {
  const auto as = [&](auto zero) {
    std::vector<decltype(zero)> values;
    for (const std::int64_t value : data) values.push_back(static_cast<decltype(zero)>(value));
    return Values(std::move(values));
  };
  const Tensor x{.shape = shape,
                 .values = type == "float"  ? as(float())
                           : type == "int8" ? as(std::int8_t())
                                            : as(std::uint8_t())};
  const Tensor y = run_once(onnx_runtime()(text_model(text), {}), {{"x", x}}).begin()->second;
  return std::visit(
      [](const auto& values) {
        std::vector<float> result;
        for (const auto value : values) result.push_back(static_cast<float>(value));
        return result;
      },
      y.values);
}

std::string warning_of(const std::string& text) {
  const LintForecast result = forecast(text_model(text), lint_target("ort-cpu-avx2"));
  const auto node = std::ranges::find(result.nodes, "n", &NodeForecast::name);
  if (node == result.nodes.end()) {
    ADD_FAILURE() << "no node n";
    return "";
  }
  EXPECT_TRUE(node->is_fused()) << node->reason;
  return node->warning;
}

}  // namespace ocs
