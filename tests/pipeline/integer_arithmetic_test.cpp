// The written model against the plan in exact integers, where int32 is nearly full: kernels must not overflow.
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/export/qdq.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/plan/proofs.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

// The engine turns sums into float (24 bits) and multiplies by the scales.
constexpr double float_rounding = 4e-7;

Samples inputs_of(const std::vector<std::vector<float>>& inputs) {
  return {.count = inputs.size(),
          .load =
              [inputs](std::size_t i) {
                const auto size = static_cast<std::int64_t>(inputs[i].size());
                return Sample{.name = "input",
                              .inputs = {{"x", {.shape = {1, size}, .values = inputs[i]}}}};
              },
          .source = "inputs"};
}

// s_x s_w (sum w (x - z) + b) of a Gemm, in 64 bits. `weight`: how its integers lie.
std::vector<double> exact_gemm(const LayerPlan& layer, const ChannelMatrix& weight,
                               const ActivationPlan& data, const std::vector<float>& input) {
  const float data_scale = data.params.scale[0];
  std::vector<double> result;
  for (std::size_t row = 0; row < layer.params.scale.size(); ++row) {
    std::int64_t sum = static_cast<std::int64_t>(
        bias_level(layer.bias.at(row), data_scale, layer.params.scale[row]));
    for (std::size_t k = 0; k < input.size(); ++k) {
      const std::int32_t zero = data.params.zero_point[0];
      const auto level = static_cast<std::int64_t>(std::nearbyint(input[k] / data_scale)) + zero;
      sum += layer.stored[weight.index(0, static_cast<std::int64_t>(row),
                                       static_cast<std::int64_t>(k), 0)] *
             (std::clamp<std::int64_t>(level, data.level_low, data.level_high) - zero);
    }
    result.push_back(static_cast<double>(sum) *
                     static_cast<double>(bias_scale(data_scale, layer.params.scale[row])));
  }
  return result;
}

// Plans the Gemm `text` and compares the engine's answer to each input with exact_gemm. Returns the
// planned layer.
LayerPlan check_gemm(const std::string& text, const std::vector<std::vector<float>>& inputs) {
  Recipe recipe;
  recipe.bias_correction = false;
  const Samples samples = inputs_of(inputs);
  const PlannedNetwork planned =
      plan_network(text_model(text), &samples, recipe, onnx_runtime(), {});
  const LayerPlan& layer = planned.plan.layers.at(0);
  const Graph graph(planned.prepared.model);
  const onnx::NodeProto& node = *graph.node_named(layer.node);
  const ChannelMatrix weight = find_linear_op(node)->view(
      node, layer.operand, shape_of(*graph.initializer(layer.weight)), {});
  const Model written = write_qdq(planned.prepared.model, planned.plan);
  const RunModel run = onnx_runtime()(written, {});
  for (const std::vector<float>& input : inputs) {
    const std::vector<double> expected =
        exact_gemm(layer, weight, planned.plan.activations.at("x"), input);
    const Tensor result =
        run_once(run,
                 {{"x", {.shape = {1, static_cast<std::int64_t>(input.size())}, .values = input}}})
            .at("y");
    for (std::size_t row = 0; row < expected.size(); ++row)
      EXPECT_NEAR(static_cast<double>(result.as<float>()[row]), expected[row],
                  float_rounding * std::fabs(expected[row]))
          << "row " << row;
  }
  return layer;
}

std::string gemm(std::int64_t inputs, const std::string& weight, const std::string& bias) {
  return "input x float[1, " + std::to_string(inputs) + "]; init w float" + weight +
         "; init b float" + bias + "; g: y = Gemm(x, w, b) {transB = 1}; output y;";
}

TEST(IntegerArithmetic, DoesNotOverflowInTheLargestSum) {
  const std::vector<float> all(200000, 1.0F);
  const LayerPlan layer = check_gemm(gemm(200000, "[2, 200000] ones", "[2] zeros"), {all});
  EXPECT_EQ(layer.raised.for_sum, 2);
  // Nearly as much as fits: a sum one level higher would not.
  EXPECT_GT((layer.stored[0] + 1.0) * 255.0 * 200000.0, 2147483648.0);
}

TEST(IntegerArithmetic, DoesNotOverflowInTheBias) {
  const LayerPlan layer =
      check_gemm(gemm(2, "[3, 2] {1e-30, 2e-30, 1, 1, 1, -0.5}", "[3] {300000, -3e10, 0.25}"),
                 {{1.0F, 0.5F}, {0.0F, 1.0F}});
  EXPECT_EQ(layer.raised.for_bias, 2);
}

TEST(IntegerArithmetic, KeepsTheBiasOfRowsOfZeros) {
  const LayerPlan layer =
      check_gemm(gemm(2, "[2, 2] {0, 0, 1, 1}", "[2] {0.3, 0.5}"), {{1.0F, 0.5F}});
  EXPECT_EQ(layer.stored[0], 0);
  EXPECT_EQ(layer.raised, RaisedRows{});
}

TEST(IntegerArithmetic, IsReportedWithWhatWasRepaired) {
  const Samples samples = inputs_of({{1.0F, 0.5F}, {0.0F, 1.0F}});
  Recipe recipe;
  recipe.fallback = false;
  const Report report =
      quantize(
          text_model(gemm(2, "[3, 2] {1e-30, 2e-30, 1e-30, 1e-30, 1, -0.5}", "[3] {3, 3, 0.25}")),
          &samples, recipe, onnx_runtime(), {})
          .report;
  ASSERT_TRUE(report.proofs.has_value());
  EXPECT_EQ(report.proofs->layers, 1);
  EXPECT_EQ(report.proofs->raised_rows, 2);
  EXPECT_EQ(report.proofs->dead_rows, 2);
  EXPECT_LT(report.proofs->largest_sum, 2147483648.0);
  EXPECT_THAT(report.layers.at(0).reason,
              HasSubstr("2 rows: scale raised so that the bias fits int32; 2 rows rounded to 0"));
}

}  // namespace
}  // namespace ocs
