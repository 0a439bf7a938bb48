#include "ocs/passes/widen_to_float.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Roundings of float16 (2^-11) that the original makes behind every node and the widened does not.
constexpr double half_rounding = 4e-3;

// No FLOAT16 left but at the model's own inputs and outputs, and the two Casts.
void expect_widened(const Model& model) {
  for (const auto& tensor : model.graph().initializer())
    EXPECT_EQ(tensor.data_type(), onnx::TensorProto::FLOAT) << tensor.name();
  for (const auto& info : model.graph().value_info())
    EXPECT_EQ(info.type().tensor_type().elem_type(), onnx::TensorProto::FLOAT) << info.name();
}

TEST(WidenToFloat, ComputesAHalfWidthModelInFloat) {
  const Model before = text_model(R"(input x float16[1, 2, 4, 4];
      init w float16[2, 2, 1, 1] {0.5, -2, 1.5, 0.25}; info a float16[1, 2, 4, 4];
      conv: a = Conv(x, w); y = Relu(a); output y float16[1, 2, 4, 4])");
  const PassResult result = widen_to_float(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("Cast", "Conv", "Relu", "Cast"));
  EXPECT_EQ(node_of(result.model, "conv").output(0), "a");
  EXPECT_EQ(result.model.graph().output(0).type().tensor_type().elem_type(),
            onnx::TensorProto::FLOAT16);
  expect_widened(result.model);
  expect_same_outputs(before, result.model, half_rounding);
}

TEST(WidenToFloat, LeavesFloatModelsAlone) {
  const Model before =
      text_model("input x float[3]; init w float[3] ones; y = Mul(x, w); output y");
  const PassResult result = widen_to_float(before.clone());
  EXPECT_EQ(result.model.proto().SerializeAsString(), before.proto().SerializeAsString());
  EXPECT_THAT(result.notes, IsEmpty());
}

TEST(WidenToFloat, WidensWeightsStoredNarrow) {
  const Model before = text_model(R"(input x float[2, 2]; init w float16[2, 2] {0.5, -2, 1.5, 0.25};
      c = Cast(w) {to = 1}; y = MatMul(x, c); output y)");
  const PassResult result = widen_to_float(before.clone());
  expect_widened(result.model);
  expect_same_outputs(before, result.model);
}

TEST(WidenToFloat, WidensConstantsCastsAndNamedTypes) {
  const Model before = text_model(R"(opset 13; input x float[2]; h = Cast(x) {to = 10};
      k = Constant() {value = float16[2] {0.5, 2}}; init n int64[1] {2};
      o = ConstantOfShape(n) {value = float16[1] {3}}; s = Sum(h, k, o); y = Cast(s) {to = 1};
      output y)");
  const PassResult result = widen_to_float(before.clone());
  EXPECT_THAT(result.model.proto().DebugString(), Not(HasSubstr("data_type: 10")));
  expect_same_outputs(before, result.model, half_rounding);
}

TEST(WidenToFloat, WidensBfloat16) {
  // ONNX Runtime has no kernels for bfloat16 on CPUs, so there is nothing to compare with.
  const PassResult result = widen_to_float(text_model(R"(input x float[2];
      init w bfloat16[2] {0.5, -2}; c = Cast(x) {to = 16}; m = Mul(c, w); y = Cast(m) {to = 1};
      output y)"));
  EXPECT_EQ(initializer_of(result.model, "w"),
            (Tensor{.shape = {2}, .values = std::vector<float>{0.5, -2}}));
  const Model expected =
      text_model("input x float[2]; init w float[2] {0.5, -2}; y = Mul(x, w); output y");
  expect_same_outputs(expected, result.model);
}

TEST(WidenToFloat, ReachesBodies) {
  const Model before = text_model(R"(input x float16[2]; input c bool[]; init w float16[2] {0.5, 2};
      a = Mul(x, w); r = If(c) {then_branch = graph { k = Constant() {value = float16[2] {1, 2}};
      t = Add(a, k); output t float16[2]; }, else_branch = graph { e = Sub(a, x);
      output e float16[2]; }}; output r float16[2])");
  const PassResult result = widen_to_float(before.clone());
  expect_widened(result.model);
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U})
    expect_same_outputs(before, result.model, half_rounding, seed);
}

TEST(WidenToFloat, TakesLoopStatesAlong) {
  const Model before = text_model(R"(input x float16[2]; init n int64[] {3}; init yes bool[] {1};
      a, all = Loop(n, yes, x) {body = graph { input i int64[]; input c bool[]; input p float16[2];
      d = Identity(c); q = Add(p, x); r = Identity(q); output d bool[]; output q float16[2];
      output r float16[2]; }}; output a float16[2]; output all float16[3, 2])");
  const PassResult result = widen_to_float(before.clone());
  expect_same_outputs(before, result.model, half_rounding);
}

TEST(WidenToFloat, ServesOutputsThatAreReadOrAreInputsOrConstants) {
  const Model before = text_model(R"(input x float16[2]; init w float16[2] {0.5, 2};
      y = Mul(x, w); z = Neg(y); output y float16[2]; output z float16[2]; output x float16[2];
      output w float16[2])");
  const PassResult result = widen_to_float(before.clone());
  expect_same_outputs(before, result.model, half_rounding);
}

TEST(WidenToFloat, RefusesForeignNodesThatWorkOnHalves) {
  try {
    (void)widen_to_float(text_model(R"(opset mine 1; input x float16[2]; n = Neg(x);
        odd: y = mine.Odd(n); output y float16[2])"));
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::unsupported);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'odd'"), HasSubstr("mine.Odd")));
  }
}

TEST(WidenToFloat, AcceptsForeignNodesBesideHalves) {
  const PassResult result = widen_to_float(text_model(R"(opset mine 1; input x float16[2];
      input i int64[2]; y = Neg(x); j = mine.Odd(i); output y float16[2]; output j int64[2])"));
  EXPECT_EQ(result.model.graph().node_size(), 4);
}

}  // namespace
}  // namespace ocs
