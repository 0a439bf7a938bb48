#include "ocs/passes/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/graph.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Prune, DropsWhatNobodyReads) {
  const Model before = text_model(R"(input x float[3]; init a float[3] ones; init b float[3] ones;
      y = Add(x, a); dead = Mul(y, b); dead_too = Neg(dead); info dead float[3]; output y)");
  const PassResult result = prune(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("Add"));
  EXPECT_THAT(initializer_names(result.model), ElementsAre("a"));
  EXPECT_EQ(result.model.graph().value_info_size(), 0);
  EXPECT_EQ(result.notes.size(), 1U);
  expect_same_outputs(before, result.model);
}

TEST(Prune, KeepsWhatBodiesCapture) {
  const Model before = text_model(R"(input x float[3]; input c bool[]; init a float[3] ones;
      init b float[3] ones; y = Neg(x); unread = Abs(x);
      r = If(c) {then_branch = graph { t = Add(y, a); output t; },
      else_branch = graph { output e; i = If(c) {then_branch = graph { p = Add(x, b); output p; },
      else_branch = graph { q = Neg(x); output q; }}; e = Neg(i); }}; output r)");
  const PassResult result = prune(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("Neg", "If"));
  EXPECT_THAT(initializer_names(result.model), ElementsAre("a", "b"));
  expect_same_outputs(before, result.model);
}

TEST(Prune, KeepsWhatABodyGivesAsItIs) {
  const Model before = text_model(R"(input x float[3]; input c bool[]; init a float[3] ones;
      y = Neg(x); r = If(c) {then_branch = graph { output y; }, else_branch = graph { output a; }};
      output r)");
  const PassResult result = prune(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("Neg", "If"));
  EXPECT_THAT(initializer_names(result.model), ElementsAre("a"));
}

TEST(Prune, PassesByIdentityAndDropoutOfInference) {
  const Model before = text_model(R"(input x float[3]; init off bool[] {0}; init r float[] {0.5};
      a = Relu(x); b = Identity(a); c, unread = Dropout(b, r, off); d = Identity(c); y = Neg(d);
      output y)");
  const PassResult result = prune(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(result.model.graph().node(1).input(), ElementsAre("a"));
  expect_same_outputs(before, result.model);
}

TEST(Prune, KeepsIdentityAtOutputsInBodiesAndInFrontOfThem) {
  const Model before = text_model(R"(input x float[3]; input c bool[]; a = Relu(x);
      y = Identity(a); b = Identity(a); r = If(c) {then_branch = graph { t = Identity(b); output t; },
      else_branch = graph { e = Neg(b); output e; }}; output y; output r)");
  const PassResult result = prune(before.clone());
  EXPECT_THAT(op_types(result.model), ElementsAre("Relu", "Identity", "Identity", "If"));
  expect_same_outputs(before, result.model);
}

TEST(Prune, KeepsDropoutThatTrainsOrTells) {
  const Model model = text_model(R"(input x float[3]; input t bool[]; init on bool[] {1};
      init r float[] {0.5}; a = Dropout(x, r, on); b = Dropout(x, r, t); c, mask = Dropout(x);
      y = Sum(a, b, c); output y; output mask)");
  EXPECT_EQ(prune(model.clone()).model.graph().node_size(), 4);
}

TEST(Prune, KeepsNodesOfOtherDomainsWithWhatTheyRead) {
  const PassResult result = prune(text_model(R"(opset mine 1; input x float[3];
      init a float[3] ones; b = Neg(a); unread = mine.Log(b); y = Relu(x); output y)"));
  EXPECT_THAT(op_types(result.model), ElementsAre("Neg", "Log", "Relu"));
  EXPECT_THAT(initializer_names(result.model), ElementsAre("a"));
}

TEST(Prune, KeepsWhatIsAskedFor) {
  const PassResult result = prune(text_model(R"(input x float[3]; init a float[3] ones;
      init b float[3] ones; y = Relu(x); output y)"),
                                  {"b"});
  EXPECT_THAT(initializer_names(result.model), ElementsAre("b"));
}

TEST(Prune, KeepsInputsWithTheirValues) {
  const Model before = text_model(R"(input x float[3]; input w float[3]; init w float[3] ones;
      y = Relu(x); output y)");
  EXPECT_THAT(initializer_names(prune(before.clone()).model), ElementsAre("w"));
}

TEST(Prune, KeepsAnInitializerThatIsAnOutput) {
  const PassResult result =
      prune(text_model("input x float[3]; init a float[3] ones; y = Relu(x); output y; output a"));
  EXPECT_THAT(initializer_names(result.model), ElementsAre("a"));
}

TEST(Prune, SaysNothingWhereNothingGoes) {
  EXPECT_THAT(prune(text_model("input x float[3]; y = Relu(x); output y")).notes, IsEmpty());
}

}  // namespace
}  // namespace ocs
