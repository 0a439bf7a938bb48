#include "ocs/passes/name_nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/graph.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;

TEST(NameNodes, NamesTheNamelessAfterOperatorAndFirstOutput) {
  const Model before =
      text_model("input x float[3]; y = Relu(x); b: z = Neg(y); w = Abs(z); output w");
  const PassResult result = name_nodes(before.clone());
  EXPECT_THAT(node_names(result.model), ElementsAre("Relu_y", "b", "Abs_w"));
  EXPECT_THAT(result.notes, testing::IsEmpty());
  expect_same_outputs(before, result.model);
}

TEST(NameNodes, LeavesANameToItsFirstOwner) {
  const PassResult result = name_nodes(text_model(
      "input x float[3]; a: y = Relu(x); a_1: z = Neg(y); a: w = Abs(z); a: v = Neg(w); output v"));
  EXPECT_THAT(node_names(result.model), ElementsAre("a", "a_1", "a_2", "a_3"));
  EXPECT_THAT(result.notes,
              ElementsAre(Note{.node = "a_2", .text = "another node is named 'a' too"},
                          Note{.node = "a_3", .text = "another node is named 'a' too"}));
}

TEST(NameNodes, TellsBodiesApartFromTheMainGraph) {
  const PassResult result = name_nodes(text_model(R"(input x float[3]; input c bool[];
      a: y = Relu(x); r = If(c) {then_branch = graph { a: t = Neg(y); output t; },
      else_branch = graph { e = Abs(y); output e; }}; output r)"));
  EXPECT_THAT(node_names(result.model), ElementsAre("a", "If_r"));
  const auto& branches = node_of(result.model, "If_r").attribute();
  EXPECT_EQ(branches[0].g().node(0).name(), "a_1");
  EXPECT_EQ(branches[1].g().node(0).name(), "Abs_e");
}

TEST(NameNodes, ChangesNothingTheSecondTime) {
  const PassResult once = name_nodes(
      text_model("input x float[3]; y = Relu(x); a: z = Neg(y); a: w = Abs(z); output w"));
  const PassResult twice = name_nodes(once.model.clone());
  EXPECT_EQ(node_names(once.model), node_names(twice.model));
}

}  // namespace
}  // namespace ocs
