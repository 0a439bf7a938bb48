#include "ocs/export/qdq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/verify.h"
#include "ocs/plan/make_plan.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

CalibrationStats stats_for(const std::vector<std::string>& values, const std::vector<float>& seen) {
  CalibrationStats stats;
  for (const std::string& value : values) stats.tensors[value].histogram.add(seen);
  return stats;
}

constexpr auto conv_relu = R"(
  input x float[1, 2, 2, 2];
  init w float[2, 2, 1, 1] {1, -0.5, 0.25, 1};
  init b float[2] {0.5, -0.5};
  c: a = Conv(x, w, b);
  r: y = Relu(a);
  output y float[1, 2, 2, 2];
)";

TEST(WriteQdq, PutsThePairBehindTheActivationAndKeepsTheOutputsName) {
  const Model model = text_model(conv_relu);
  CalibrationStats stats = stats_for({"x"}, {-1.0F, 1.0F});
  stats.tensors["y"].histogram.add(std::vector<float>{0.0F, 2.0F});
  const Model written =
      write_qdq(model, make_plan(model, &stats, Recipe{.bias_correction = false}, {}));
  verify(written);
  EXPECT_EQ(written.graph().output(0).name(), "y");
  EXPECT_EQ(written.graph().node(written.graph().node_size() - 1).op_type(), "DequantizeLinear");
  for (const onnx::NodeProto& node : written.graph().node()) {
    if (node.op_type() == "Relu") {
      EXPECT_EQ(node.input(0), "a");
    }
  }
  const NamedTensors inputs{
      {"x", {.shape = {1, 2, 2, 2}, .values = std::vector<float>{1, -1, 0.5, 0, 1, 1, -1, 0.25}}}};
  const NamedTensors real = run_once(onnx_runtime()(model, {}), inputs);
  const NamedTensors quantized = run_once(onnx_runtime()(written, {}), inputs);
  const float step = 2.0F / 255.0F;  // of the output; inputs and weights err by less than two more
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(real.at("y").as<float>()[i], quantized.at("y").as<float>()[i], 3 * step);
}

TEST(WriteQdq, LetsFloatStepsReadWhatIsThereAsFloats) {
  const Model model = text_model(R"(
    input x float[2, 4]; init w float[4, 4] random 1;
    s: a = Sigmoid(x);
    m: b = MatMul(a, w);
    r: y = Add(b, a);
    output y; output a;
  )");
  const CalibrationStats stats = stats_for({"a"}, {0.0F, 1.0F});
  const Model written =
      write_qdq(model, make_plan(model, &stats, Recipe{.bias_correction = false}, {}));
  verify(written);
  EXPECT_NE(node_of(written, "m").input(0), "a");
  EXPECT_EQ(node_of(written, "r").input(1), "a");
  EXPECT_EQ(node_of(written, "s").output(0), "a")
      << "the output of the model is not rounded either";
}

TEST(WriteQdq, ClipsTheIntegersForFewerThanEightBits) {
  const Model model = text_model(conv_relu);
  CalibrationStats stats = stats_for({"x"}, {-1.0F, 1.0F});
  stats.tensors["y"].histogram.add(std::vector<float>{0.0F, 2.0F});
  const Plan plan = make_plan(model, &stats, Recipe{.act_bits = 4, .bias_correction = false}, {});
  EXPECT_THAT(op_types(write_qdq(model, plan)), testing::Contains("Clip"));
  EXPECT_EQ(plan.activations.at("x").level_high, 15);
}

TEST(WriteQdq, LeavesOutAClipThatTheLevelsMakeRedundant) {
  const Model model = text_model(R"(
    input x float[1, 2, 2, 2];
    init w float[2, 2, 1, 1] {1, -0.5, 0.25, 1};
    init zero float[] {0};
    init six float[] {6};
    c: a = Conv(x, w);
    k: b = Clip(a, zero, six);
    d: y = Conv(b, w);
    output y;
  )");
  CalibrationStats stats = stats_for({"x", "y"}, {-1.0F, 1.0F});
  stats.tensors["b"].histogram.add(std::vector<float>{0.0F, 6.0F});
  const Model written = write_qdq(
      model, make_plan(model, &stats, Recipe{.act_bits = 4, .bias_correction = false}, {}));
  for (const onnx::NodeProto& node : written.graph().node()) EXPECT_NE(node.name(), "k");
  const Model eight =
      write_qdq(model, make_plan(model, &stats, Recipe{.bias_correction = false}, {}));
  EXPECT_THAT(op_types(eight), testing::Contains("Clip"));  // the engine drops it
}

// The paper rounds the inputs of the layers and no other value: a residual Add, a float layer and a
// graph output get what they would get without it.
TEST(WriteQdq, GivesOtherReadersTheFloatValueUnderTheScopeInputs) {
  const Model model = text_model(R"(
    input x float[1, 2, 2, 2];
    init w float[2, 2, 1, 1] {1, -0.5, 0.25, 1};
    init zero float[] {0};
    init six float[] {6};
    c: a = Conv(x, w);
    k: b = Clip(a, zero, six);
    d: z = Conv(b, w);
    e: f = Conv(b, w);
    s: y = Add(b, z);
    output y;
    output f;
  )");
  CalibrationStats stats = stats_for({"x", "z", "f"}, {-1.0F, 1.0F});
  stats.tensors["b"].histogram.add(std::vector<float>{0.0F, 6.0F});
  const Recipe recipe{
      .act_bits = 4, .act_scope = ActScope::inputs, .bias_correction = false, .keep_float = {"e"}};
  const Model written = write_qdq(model, make_plan(model, &stats, recipe, {}));
  std::map<std::string, onnx::NodeProto> nodes;
  for (const onnx::NodeProto& node : written.graph().node()) nodes[node.name()] = node;
  EXPECT_THAT(nodes.at("d").input(0), testing::Not("b"));  // the rounded value
  EXPECT_EQ(nodes.at("e").input(0), "b");
  EXPECT_EQ(nodes.at("s").input(0), "b");
  EXPECT_EQ(nodes.at("k").output(0), "b");  // float readers need the Clip
  EXPECT_THAT(nodes.at("c").input(0), testing::Not("x"));
}

TEST(WriteQdq, WritesOneQuantizedCopyOfASharedWeight) {
  const Model model = text_model(R"(
    input x float[1, 2, 2, 2];
    init w float[2, 2, 1, 1] {1, -0.5, 0.25, 1};
    c: a = Conv(x, w);
    d: y = Conv(a, w);
    output y;
  )");
  const CalibrationStats stats = stats_for({"x", "a", "y"}, {-1.0F, 1.0F});
  const Model written =
      write_qdq(model, make_plan(model, &stats, Recipe{.bias_correction = false}, {}));
  int weights = 0;
  for (const onnx::TensorProto& tensor : written.graph().initializer())
    weights += tensor.data_type() == onnx::TensorProto::INT8 && tensor.dims_size() == 4 ? 1 : 0;
  EXPECT_EQ(weights, 1);
}

TEST(WriteQdq, GivesAMatMulItsCorrectionAsAnAdd) {
  const Model model = text_model(R"(
    input x float[3, 2];
    init w float[2, 2] {1, -0.3, 0.11, 0.7};
    m: y = MatMul(x, w);
    output y float[3, 2];
  )");
  CalibrationStats stats = stats_for({"x"}, {1.0F, 1.0F});
  stats.tensors["x"].shape = {3, 2};
  stats.tensors["x"].moments[1].add(std::vector<float>{1, 1, 1, 1, 1, 1}, 3, 2, 1);
  Recipe recipe{
      .weight_bits = 3, .act_bits = std::nullopt, .weight_granularity = Granularity::tensor};
  const Model written = write_qdq(model, make_plan(model, &stats, recipe, {}));
  const NamedTensors inputs{{"x", {.shape = {3, 2}, .values = std::vector<float>(6, 1.0F)}}};
  const NamedTensors real = run_once(onnx_runtime()(model, {}), inputs);
  const NamedTensors quantized = run_once(onnx_runtime()(written, {.optimize = false}), inputs);
  // The input is its own mean, so the correction gives back all that three bits took.
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(real.at("y").as<float>()[i], quantized.at("y").as<float>()[i], 1e-6F);
}

}  // namespace
}  // namespace ocs
