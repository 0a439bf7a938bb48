// Engines that are known from their documents only: a model that meets every row, and one for each row that does not.
#include "ocs/lint/acceptance.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/lint/forecast.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

// What varies in a quantized Conv with Relu.
struct Form {
  std::string activation = "init z int8[] {0};";
  std::string scale = "init s float[] {0.125};";
  std::string weight = "init w int8[4, 4, 3, 3] ones; init wz int8[] {0};";
  std::string weight_scale = "init ws float[] {0.25};";
  std::string bias = "init b float[4] ones;";
  std::string bias_value = "b";
  std::string behind =
      "qy: yq = QuantizeLinear(r, s, z); dy: o = DequantizeLinear(yq, s, z); output o;";
  std::string batch = "1";
};

std::string text_of(const Form& form) {
  return fmt::format(
      "ir 10; opset 21; input x float[{}, 4, 8, 8]; {} {} {} {} {} qx: xq = QuantizeLinear(x, s, "
      "z); dx: d = "
      "DequantizeLinear(xq, s, z); dw: wd = DequantizeLinear(w, ws, wz) {{axis = 0}}; conv: y = "
      "Conv(d, wd, {}); "
      "relu: r = Relu(y); {}",
      form.batch, form.activation, form.scale, form.weight, form.weight_scale, form.bias,
      form.bias_value, form.behind);
}

// Int8, no zero points, powers of two, one scale a tensor, fixed extents: what each target asks, by its name.
Form form_for(const std::string& target) {
  Form form;
  if (target == "qnn") form.activation = "init z uint8[] {128};";
  if (target == "openvino" || target == "qnn") {
    form.bias =
        "init b int32[4] ones; init bs float[] {0.03125}; init bz int32[] {0}; db: bd = "
        "DequantizeLinear(b, bs, bz);";
    form.bias_value = "bd";
  }
  if (target == "vitis") {
    form.bias =
        "init b int8[4] ones; init bs float[] {0.03125}; init bz int8[] {0}; db: bd = "
        "DequantizeLinear(b, bs, bz);";
    form.bias_value = "bd";
  }
  return form;
}

LintForecast forecast_of(const Form& form, const std::string& target) {
  return forecast(text_model(text_of(form)), lint_target(target));
}

class Acceptance : public testing::TestWithParam<std::string> {};

TEST_P(Acceptance, TakesWhatItsDocumentsAskFor) {
  const LintForecast result = forecast_of(form_for(GetParam()), GetParam());
  for (const NodeForecast& node : result.nodes)
    EXPECT_TRUE(node.is_fused()) << node.op << ": " << node.reason;
  EXPECT_TRUE(result.is_clean()) << result.refusal;
  EXPECT_FALSE(lint_target(GetParam()).is_verified());
}

INSTANTIATE_TEST_SUITE_P(Targets, Acceptance,
                         testing::Values("tensorrt", "openvino", "qnn", "vitis"));

struct Breach {
  std::string name{};
  std::string target{};
  void (*make)(Form& form) = nullptr;
  LintRule rule{};
};

void PrintTo(const Breach& breach, std::ostream* out) { *out << breach.name; }

class Breaches : public testing::TestWithParam<Breach> {};

TEST_P(Breaches, AreNamed) {
  Form form = form_for(GetParam().target);
  GetParam().make(form);
  const LintForecast result = forecast_of(form, GetParam().target);
  const auto conv = std::ranges::find(result.nodes, "conv", &NodeForecast::name);
  ASSERT_NE(conv, result.nodes.end());
  EXPECT_EQ(lint_rule(conv->rule).name, lint_rule(GetParam().rule).name) << conv->reason;
  EXPECT_FALSE(result.is_clean());
}

constexpr auto unsigned_activations = [](Form& form) { form.activation = "init z uint8[] {0};"; };
constexpr auto wide_activations = [](Form& form) { form.activation = "init z uint16[] {0};"; };
constexpr auto unsigned_weights = [](Form& form) {
  form.weight = "init w uint8[4, 4, 3, 3] ones; init wz uint8[] {0};";
};
constexpr auto wide_weights = [](Form& form) {
  form.weight = "init w uint16[4, 4, 3, 3] ones; init wz uint16[] {0};";
};
constexpr auto zero_point = [](Form& form) { form.activation = "init z int8[] {3};"; };
constexpr auto per_channel = [](Form& form) {
  form.weight = "init w int8[4, 4, 3, 3] ones; init wz int8[4] zeros;";
  form.weight_scale = "init ws float[4] {0.25, 0.5, 0.25, 0.5};";
};
constexpr auto odd_scale = [](Form& form) { form.scale = "init s float[] {0.1};"; };
constexpr auto integer_bias = [](Form& form) {
  form.bias =
      "init b int32[4] ones; init bs float[] {0.03125}; init bz int32[] {0}; db: bd = "
      "DequantizeLinear(b, bs, bz);";
  form.bias_value = "bd";
};
constexpr auto narrow_bias = [](Form& form) {
  form.bias =
      "init b int8[4] ones; init bs float[] {0.03125}; init bz int8[] {0}; db: bd = "
      "DequantizeLinear(b, "
      "bs, bz);";
  form.bias_value = "bd";
};
constexpr auto computed_scale = [](Form& form) {
  form.scale = "input k float[]; init half float[] {0.5}; half: s = Mul(k, half);";
};
constexpr auto float_result = [](Form& form) { form.behind = "output r;"; };

INSTANTIATE_TEST_SUITE_P(
    Rows, Breaches,
    testing::Values(
        Breach{"TensorRtUnsigned", "tensorrt", unsigned_activations, LintRule::activation_type},
        Breach{"OpenVinoWide", "openvino", wide_activations, LintRule::activation_type},
        Breach{"QnnSigned", "qnn", [](Form& form) { form.activation = Form{}.activation; },
               LintRule::activation_type},
        Breach{"VitisUnsigned", "vitis", unsigned_activations, LintRule::activation_type},
        Breach{"TensorRtUnsignedWeights", "tensorrt", unsigned_weights, LintRule::weight_type},
        Breach{"OpenVinoWideWeights", "openvino", wide_weights, LintRule::weight_type},
        Breach{"QnnWideWeights", "qnn", wide_weights, LintRule::weight_type},
        Breach{"TensorRtZeroPoint", "tensorrt", zero_point, LintRule::zero_point},
        Breach{"VitisZeroPoint", "vitis", zero_point, LintRule::zero_point},
        Breach{"OpenVinoComputedScale", "openvino", computed_scale, LintRule::scale_not_constant},
        Breach{"VitisPerChannel", "vitis", per_channel, LintRule::per_channel_weights},
        Breach{"VitisOddScale", "vitis", odd_scale, LintRule::power_of_two},
        Breach{"TensorRtIntegerBias", "tensorrt", integer_bias, LintRule::quantized_bias},
        Breach{"OpenVinoNarrowBias", "openvino", narrow_bias, LintRule::bias_type},
        Breach{"VitisIntegerBias", "vitis", integer_bias, LintRule::weight_type},
        Breach{"QnnFloatResult", "qnn", float_result, LintRule::float_result}),
    [](const auto& each) { return each.param.name; });

TEST(AcceptanceRows, AreOfTargetsThatAreKnownFromDocuments) {
  for (const AcceptanceRow& row : acceptance_rows()) {
    EXPECT_FALSE(row.source.empty());
    const auto is_meant = [&](const LintTarget& target) { return names_target(row, target.name); };
    EXPECT_TRUE(std::ranges::any_of(lint_targets(), is_meant)) << row.targets;
    EXPECT_TRUE(std::ranges::none_of(lint_targets(), [&](const LintTarget& target) {
      return is_meant(target) && (target.is_onnx_runtime || target.is_verified());
    })) << row.targets;
  }
}

TEST(DocumentedTargets, WantsFixedExtents) {
  Form form = form_for("qnn");
  form.batch = "?";
  EXPECT_THAT(forecast_of(form, "qnn").refusal,
              HasSubstr("input 'x' has an extent that is not fixed"));
  EXPECT_EQ(forecast_of(form, "openvino").refusal, "");
}

TEST(DocumentedTargets, TakesNoOperatorsOfTheQOperatorForm) {
  const Model model = text_model(R"(
    ir 8; opset 14; input x uint8[1, 4, 8, 8]; init s float[] {0.1}; init z uint8[] {0};
    init w int8[4, 4, 3, 3] ones; init wz int8[] {0}; c: y = QLinearConv(x, s, z, w, s, wz, s, z); output y;
  )");
  EXPECT_EQ(forecast(model, lint_target("tensorrt")).nodes.at(0).rule, LintRule::q_operator);
  EXPECT_TRUE(forecast(model, lint_target("openvino")).nodes.at(0).is_fused());
  EXPECT_TRUE(forecast(model, lint_target("ort-cpu")).nodes.at(0).is_fused());
}

TEST(DocumentedTargets, LeavesBodiesToTheProcessor) {
  const Model model = text_model(R"(
    ir 8; opset 14; input c bool[]; input x float[1, 4];
    r = If(c) {then_branch = graph { a: t = Relu(x); output t; }, else_branch = graph { b: u = Neg(x); output u; }};
    output r;
  )");
  const LintForecast result = forecast(model, lint_target("qnn"));
  for (const NodeForecast& node : result.nodes) EXPECT_EQ(node.rule, LintRule::in_body);
}

}  // namespace
}  // namespace ocs
