#include "ocs/passes/lift_constants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/graph.h"
#include "ocs/passes/prune.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;

Tensor floats(Shape shape, std::vector<float> values) {
  return {.shape = std::move(shape), .values = std::move(values)};
}

TEST(LiftConstants, TakesInitializersOutOfTheInputs) {
  const Model before = text_model(R"(ir 3; input x float[3]; input w float[3];
      init w float[3] {1, 2, 3}; y = Mul(x, w); output y)");
  const PassResult result = lift_constants(before.clone());
  EXPECT_EQ(result.model.graph().input_size(), 1);
  EXPECT_EQ(result.model.proto().ir_version(), 4);
  EXPECT_EQ(result.notes.size(), 1U);
  expect_same_outputs(before, result.model);
}

TEST(LiftConstants, NeverLowersTheIrVersion) {
  EXPECT_EQ(lift_constants(text_model("ir 9; input x float[3]; y = Relu(x); output y"))
                .model.proto()
                .ir_version(),
            9);
}

TEST(LiftConstants, TurnsConstantNodesIntoInitializers) {
  const PassResult result = lift_constants(text_model(R"(input x float[2];
      a = Constant() {value = float[2] {1, 2}}; b = Constant() {value_float = 0.5};
      c = Constant() {value_floats = [1.0, 2.0]}; d = Constant() {value_int = 3};
      e = Constant() {value_ints = [4, 5]}; f = Constant() {value_strings = ["p", "q"]};
      y = Add(x, a); output y)"));
  EXPECT_THAT(op_types(result.model), ElementsAre("Add"));
  EXPECT_THAT(initializer_names(result.model), ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_EQ(initializer_of(result.model, "a"), floats({2}, {1, 2}));
  EXPECT_EQ(initializer_of(result.model, "b"), floats({}, {0.5}));
  EXPECT_EQ(initializer_of(result.model, "c"), floats({2}, {1, 2}));
  EXPECT_EQ(initializer_of(result.model, "d"), (Tensor{.values = std::vector<std::int64_t>{3}}));
  EXPECT_EQ(initializer_of(result.model, "e"),
            (Tensor{.shape = {2}, .values = std::vector<std::int64_t>{4, 5}}));
}

std::vector<std::string> initializers(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
  return names;
}

TEST(LiftConstants, LeavesConstantsThatAreOutputs) {
  const Model before = text_model(R"(input x float[3]; input c bool[];
      k = Constant() {value = float[3] {1, 2, 3}}; r = If(c) {then_branch = graph {
      m = Constant() {value = float[3] {4, 5, 6}}; output m; },
      else_branch = graph { e = Neg(x); output e; }}; output k; output r)");
  const PassResult result = lift_constants(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("Constant", "If"));
  EXPECT_EQ(result.model.graph().node(1).attribute(0).g().node_size(), 1);
  expect_same_outputs(before, result.model);
}

TEST(LiftConstants, LiftsInsideTheBranchesOfAnIf) {
  const Model before = text_model(R"(input x float[3]; input c bool[];
      r = If(c) {then_branch = graph {
      m = Constant() {value = float[1,3] {4, 5, 6}}; n = Squeeze(m); t = Add(x, n); output t; },
      else_branch = graph { e = Neg(x); output e; }}; output r)");
  const PassResult result = lift_constants(before.clone());
  EXPECT_THAT(initializer_names(result.model), IsEmpty());
  const onnx::GraphProto& branch = result.model.graph().node(0).attribute(0).g();
  EXPECT_THAT(initializers(branch), ElementsAre("m", "n"));
  EXPECT_EQ(branch.node_size(), 1);
  expect_same_outputs(before, result.model);
}

// What is computed from a constant lies beside it; twice the same is one.
TEST(LiftConstants, ComputesWhatTwoBranchesComputeOnce) {
  const Model before = text_model(R"(input x float[2]; input c bool[]; init w float[2,2] random 1;
      r = If(c) {then_branch = graph {
      one = Constant() {value = int64[1] {0}}; a = Transpose(w); s = ReduceSum(a, one) {keepdims = 0};
      t = Add(x, s); output t; },
      else_branch = graph { b = Transpose(w); d = MatMul(x, b); output d; }}; output r)");
  const PassResult result = lift_constants(before.clone());
  EXPECT_THAT(initializer_names(result.model), ElementsAre("w", "a"));
  EXPECT_EQ(result.model.graph().node(0).attribute(1).g().node(0).input(1), "a");
  // The engine adds up in another order where a weight is constant.
  expect_same_outputs(before, result.model, float_rounding, 1);
  expect_same_outputs(before, result.model, float_rounding, 4);  // the other branch
}

// Dequantized there, a weight would be dequantized in each turn.
TEST(LiftConstants, MovesConstantsOutOfALoop) {
  const Model before = text_model(R"(input x float[2,2]; init count int64[] {3}; init go bool[] {1};
      y = Loop(count, go, x) {body = graph { input i int64[]; input g bool[]; input h float[2,2];
      init w float[2,2] random 1; v = Constant() {value = float[2,2] {1, 2, 3, 4}};
      a = MatMul(h, w); b = MatMul(a, v); k = Identity(g); output k; output b; }}; output y float)");
  const PassResult result = lift_constants(before.clone());
  EXPECT_THAT(initializer_names(result.model), ElementsAre("count", "go", "w", "v"));
  EXPECT_THAT(initializers(result.model.graph().node(0).attribute(0).g()), IsEmpty());
  expect_same_outputs(before, result.model);
}

TEST(LiftConstants, FeedsBodiesThatCapture) {
  const Model before = text_model(R"(input x float[3]; input c bool[];
      k = Constant() {value = float[3] {1, 2, 3}}; n = Identity(k);
      r = If(c) {then_branch = graph { t = Add(x, n); output t; },
      else_branch = graph { e = Mul(x, k); output e; }}; output r)");
  const PassResult result = lift_constants(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("If"));
  expect_same_outputs(before, result.model);
}

TEST(LiftConstants, ComputesChainsAroundWeights) {
  const Model before = text_model(R"(input x float[2, 3]; init a float[1, 6, 1] range;
      init shape int64[2] {-1, 3}; init axes int64[1] {0}; init axis int64[1] {-1};
      b = Squeeze(a, axes); c = Reshape(b, shape); d = Transpose(c); e = Unsqueeze(d, axes);
      f = Flatten(e) {axis = 2}; g = Identity(f); y = MatMul(x, g); output y)");
  const PassResult result = lift_constants(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("MatMul"));
  EXPECT_EQ(initializer_of(result.model, "c"), floats({2, 3}, {0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(initializer_of(result.model, "g"), floats({3, 2}, {0, 3, 1, 4, 2, 5}));
  expect_same_outputs(before, result.model);
  EXPECT_THAT(initializer_names(prune(lift_constants(before.clone()).model).model),
              ElementsAre("g"));
}

// Against the engine: every computed node once more, on the same constants.
TEST(LiftConstants, ComputesWhatTheEngineComputes) {
  for (const std::string node : {"Transpose(a) {perm = [2, 0, 3, 1]}",
                                 "Transpose(a)",
                                 "Transpose(a) {perm = [0, 1, 2, 3]}",
                                 "Flatten(a) {axis = 0}",
                                 "Flatten(a) {axis = -1}",
                                 "Flatten(a) {axis = 4}",
                                 "Reshape(a, s1)",
                                 "Reshape(a, s2)",
                                 "Squeeze(a)",
                                 "Squeeze(a, last)",
                                 "Unsqueeze(a, ends)",
                                 "Cast(a) {to = 11}",
                                 "Cast(a) {to = 7}",
                                 "Cast(a) {to = 6}",
                                 "Cast(a) {to = 9}",
                                 "Cast(i) {to = 1}",
                                 "Cast(i) {to = 3}",
                                 "Cast(i) {to = 9}",
                                 "Cast(h) {to = 1}",
                                 "Cast(n) {to = 7}",
                                 "Slice(a, i, s3)",
                                 "Slice(a, ends, big, last2)",
                                 "Slice(a, m3, low, last2, back)",
                                 "Slice(a, m3, s2, last2)",
                                 "Concat(a, a2) {axis = 1}",
                                 "Concat(a, a2, a) {axis = -3}",
                                 "Concat(i, i) {axis = 0}",
                                 "ConstantOfShape(i)",
                                 "ConstantOfShape(i) {value = int64[1] {7}}",
                                 "ConstantOfShape(i) {value = bool[1] {1}}"}) {
    SCOPED_TRACE(node);
    // `n` is there so that the engine has something to compute; int8 results come out as int32.
    const std::string text = R"(input x float[2]; init a float[2, 3, 4, 1] random 1 * 10;
        init i int64[3] {2, 0, 3}; init h float16[2] {0.5, -3}; init n float[2] {-2.9, 2.9};
        init s1 int64[3] {0, -1, 2}; init s2 int64[2] {4, 6}; init last int64[1] {-1};
        init ends int64[2] {0, -1}; init s3 int64[3] {5, 2, 9}; init big int64[2] {99, 9223372036854775807};
        init last2 int64[2] {2, 1}; init low int64[2] {-9223372036854775808, 0};
        init back int64[2] {-2, -1}; init m3 int64[2] {-1, 2}; init a2 float[2, 1, 4, 1] random 3; k = )" +
                             node + "; y = Identity(k); z = Relu(x); output y; output z";
    const Model before = text_model(text);
    const PassResult result = lift_constants(before.clone());
    EXPECT_EQ(result.notes.size(), 1U);
    expect_same_outputs(before, result.model);
  }
}

TEST(LiftConstants, ComputesOldFormsOfAxes) {
  const Model before = text_model(R"(opset 9; input x float[3]; init a float[1, 3] range;
      b = Squeeze(a) {axes = [0]}; c = Unsqueeze(b) {axes = [0]}; y = Add(x, c); output y)");
  const PassResult result = lift_constants(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("Add"));
  expect_same_outputs(before, result.model);
}

TEST(LiftConstants, KeepsHalfWidthFloatsAsTheyAre) {
  const PassResult result = lift_constants(text_model(R"(input x float[2, 1];
      c = Constant() {value = float16[1, 2] {0.5, -2}}; t = Identity(c); w = Cast(t) {to = 1};
      y = Add(x, w); output y)"));
  EXPECT_THAT(op_types(result.model), ElementsAre("Add"));
  EXPECT_EQ(result.model.graph().initializer(1).data_type(), onnx::TensorProto::FLOAT16);
  EXPECT_EQ(initializer_of(result.model, "w"), floats({1, 2}, {0.5, -2}));
}

TEST(LiftConstants, LeavesWhatItCannotHold) {
  const PassResult result = lift_constants(text_model(R"(input x float[2];
      init big float[2] {1e20, -1}; init nan float[1] {nan}; init w float[2] ones;
      init three int64[1] {3}; init huge int64[2] {1000, 1000}; init minus float[1] {-1}; init zero2 int64[2] {0, 0}; init big2 float[1, 2] ones;
      a = Cast(big) {to = 7}; b = Cast(nan) {to = 6}; c = Cast(w) {to = 10}; d = Reshape(w, three);
      e = ConstantOfShape(huge); i = Slice(w, three, three, zero2); j = Concat(w, big2) {axis = 0}; f = Cast(minus) {to = 2}; g = Cast(w) {to = 8}; y = Relu(x);
      output y)"));
  EXPECT_EQ(result.model.graph().node_size(), 10);
  EXPECT_THAT(result.notes, IsEmpty());
}

TEST(LiftConstants, LeavesArithmeticOnShapes) {
  const PassResult result = lift_constants(text_model(R"(input x float[N, 4]; s = Shape(x);
      init zero int64[1] {0}; n = Gather(s, zero); init two int64[1] {2};
      c = Concat(n, two, two) {axis = 0}; y = Reshape(x, c); output y)"));
  EXPECT_THAT(op_types(result.model), ElementsAre("Shape", "Gather", "Concat", "Reshape"));
}

}  // namespace
}  // namespace ocs
