#include "support/text_model.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/verify.h"
#include "support/models.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TextModel, ReadsTheExampleOfItsHeader) {
  const Model model = text_model(R"(
      ir 8 opset 13; input x float[1,3,8,8]; init w float[4,3,3,3] random 1;
      conv: y = Conv(x, w) {pads=[1,1,1,1]}; relu: z = Relu(y); output z float[1,4,8,8])");
  verify(model);
  EXPECT_EQ(model.proto().ir_version(), 8);
  EXPECT_EQ(model.opset(), 13);
  EXPECT_THAT(op_types(model), ElementsAre("Conv", "Relu"));
  EXPECT_THAT(node_names(model), ElementsAre("conv", "relu"));
  EXPECT_THAT(ints_attribute(node_of(model, "conv"), "pads"), ElementsAre(1, 1, 1, 1));
  EXPECT_EQ(initializer_of(model, "w").shape, (Shape{4, 3, 3, 3}));
  EXPECT_THAT(model.inputs(), ElementsAre(Port{.name = "x", .shape = {1, 3, 8, 8}}));
}

TEST(TextModel, ReadsValuesOfEveryKind) {
  const Model model = text_model(R"(
      init a float[2] {1, -2.5e-1}; init b int64[2] {0, -1}; init c bool[2] {1, 0}; init d float[2] zeros; init e int8[2] ones;
      init f float[3] range; init g float[] {nan}; init h float16[2] {0.5, -65504}; init i bfloat16[1] {-2};
      init j float[2] random 7; init k float[2] random 7 * 0.5)");
  EXPECT_THAT(initializer_of(model, "a").as<float>(), ElementsAre(1.0F, -0.25F));
  EXPECT_THAT(initializer_of(model, "b").as<std::int64_t>(), ElementsAre(0, -1));
  EXPECT_THAT(initializer_of(model, "c").as<Boolean>(), ElementsAre(Boolean::yes, Boolean::no));
  EXPECT_THAT(initializer_of(model, "d").as<float>(), ElementsAre(0.0F, 0.0F));
  EXPECT_THAT(initializer_of(model, "e").as<std::int8_t>(), ElementsAre(1, 1));
  EXPECT_THAT(initializer_of(model, "f").as<float>(), ElementsAre(0.0F, 1.0F, 2.0F));
  EXPECT_TRUE(std::isnan(initializer_of(model, "g").as<float>()[0]));
  EXPECT_THAT(initializer_of(model, "h").as<float>(), ElementsAre(0.5F, -65504.0F));
  EXPECT_THAT(initializer_of(model, "i").as<float>(), ElementsAre(-2.0F));
  const Tensor once = initializer_of(model, "j");
  const Tensor half = initializer_of(model, "k");
  EXPECT_EQ(once.as<float>()[1], 2.0F * half.as<float>()[1]);
}

TEST(TextModel, ReadsNodesOfEveryForm) {
  const Model model = text_model(R"(
      opset com.microsoft 1; metadata "author" "a test";
      input x float[N, ?]; input "odd name" float; input cond bool[];
      init clip_max float[] {6};
      a, = Split(x) {axis = 1};        # one output left out
      b = Clip(a, , clip_max);
      c = com.microsoft.Gelu(b) {alpha = 0.5, mode = "fast", list = [0.5, 1], names = ["p", "q"], none = []};
      d = Constant() {value = float[2] {1, 2}};
      r = If(cond) {then_branch = graph { t = Relu(c); output t; }, else_branch = graph { output e float; e = Neg(c); }};
      info a float[N, 1]; output r)");
  EXPECT_THAT(node_names(model), ElementsAre("", "", "", "", ""));
  EXPECT_THAT(model.graph().node(0).output(), ElementsAre("a"));
  EXPECT_THAT(model.graph().node(1).input(), ElementsAre("a", "", "clip_max"));
  const onnx::NodeProto& gelu = model.graph().node(2);
  EXPECT_EQ(gelu.domain(), "com.microsoft");
  EXPECT_EQ(gelu.op_type(), "Gelu");
  EXPECT_EQ(float_attribute(gelu, "alpha", 0.0F), 0.5F);
  EXPECT_EQ(string_attribute(gelu, "mode", ""), "fast");
  EXPECT_THAT(attribute(gelu, "list")->floats(), ElementsAre(0.5F, 1.0F));
  EXPECT_THAT(attribute(gelu, "names")->strings(), ElementsAre("p", "q"));
  EXPECT_EQ(attribute(gelu, "none")->type(), onnx::AttributeProto::INTS);
  EXPECT_EQ(attribute(model.graph().node(3), "value")->t().dims(0), 2);
  EXPECT_TRUE(has_body(model.graph().node(4)));
  EXPECT_EQ(model.metadata("author"), "a test");
  EXPECT_THAT(model.inputs(),
              ElementsAre(Port{.name = "x", .shape = {-1, -1}}, Port{.name = "odd name"},
                          Port{.name = "cond", .type = ElementType::boolean}));
  verify(model);
}

TEST(TextModel, SaysWhereItStumbles) {
  const auto message = [](std::string_view text) -> std::string {
    try {
      (void)text_model(text);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_EQ(message("y = Relu x"), "text model: expected '(' at: x the end");
  EXPECT_THAT(message("init w flot[1] ones"), HasSubstr("expected a type at: flot"));
  EXPECT_THAT(message("init w float[2] {1}"), HasSubstr("'w' has not as many values"));
  EXPECT_THAT(message("init w int8[1] {300}"), HasSubstr("does not fit"));
  EXPECT_THAT(message("init w float16[1] {0.1}"), HasSubstr("no float16"));
  EXPECT_THAT(message("metadata \"open"), HasSubstr("quote"));
  EXPECT_THAT(message("y = Relu(x) z = Relu(y)"), HasSubstr("expected ';' at: z"));
}

TEST(RandomInputs, FitThePortsAndRepeat) {
  const Model model = text_model("input x float[?, 3]; input ids int64[4]; input flag bool[]");
  const NamedTensors inputs = random_inputs(model, 5, 7);
  EXPECT_EQ(inputs.at("x").shape, (Shape{7, 3}));
  EXPECT_THAT(inputs.at("ids").as<std::int64_t>(),
              testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(4))));
  EXPECT_EQ(inputs.at("flag").as<Boolean>().size(), 1U);
  EXPECT_EQ(random_inputs(model, 5, 7), inputs);
}

}  // namespace
}  // namespace ocs
