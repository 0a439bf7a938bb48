#include "ocs/passes/upgrade_opset.h"

#include <map>

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

std::string refusal(Model model, std::int64_t target) {
  try {
    (void)upgrade_opset(std::move(model), target);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::unsupported);
    return error.what();
  }
  return "was not refused";
}

TEST(UpgradeOpset, DoesNothingAtOrAboveTheTarget) {
  for (const std::string opset : {"13", "17", "28"}) {
    const Model before =
        text_model("ir 13; opset " + opset + "; input x float[3]; y = Relu(x); output y");
    const PassResult result = upgrade_opset(before.clone(), 13);
    EXPECT_EQ(result.model.proto().SerializeAsString(), before.proto().SerializeAsString());
    EXPECT_THAT(result.notes, IsEmpty());
  }
}

TEST(UpgradeOpset, RaisesTheIrVersionToWhatTheOpsetNeeds) {
  const auto ir_of = [](const std::string& ir, std::int64_t target) {
    const Model model =
        text_model("ir " + ir + "; opset 9; input x float[3]; y = Relu(x); output y");
    return upgrade_opset(model.clone(), target).model.proto().ir_version();
  };
  EXPECT_EQ(ir_of("3", 13), 7);
  EXPECT_EQ(ir_of("3", 21), 10);
  EXPECT_EQ(ir_of("3", 25), 13);
  EXPECT_EQ(ir_of("9", 13), 9);
}

TEST(UpgradeOpset, RaisesAnOldIrVersionWhateverTheOpset) {
  const PassResult result =
      upgrade_opset(text_model("ir 3; opset 13; input x float[3]; y = Relu(x); output y"), 13);
  EXPECT_EQ(result.model.proto().ir_version(), 7);
}

TEST(UpgradeOpset, TellsWhatItDid) {
  const PassResult result = upgrade_opset(
      text_model("opset 9; input x float[3]; clip: y = Clip(x) {min = 0.0}; output y"), 13);
  EXPECT_THAT(result.notes,
              ElementsAre(Note{.node = "clip",
                               .text = "Clip taken to opset 11: min and max became inputs"}));
}

TEST(UpgradeOpset, RefusesModelsOlderThanItsTable) {
  EXPECT_THAT(refusal(text_model("opset 6; input x float[3]; y = Relu(x); output y"), 13),
              AllOf(HasSubstr("opset 6"), HasSubstr("7")));
}

TEST(UpgradeOpset, RefusesOperatorsThatOnnxDoesNotKnow) {
  EXPECT_THAT(
      refusal(text_model("opset 9; input x float[3]; odd: y = ImageScaler(x); output y"), 13),
      AllOf(HasSubstr("'odd'"), HasSubstr("ImageScaler")));
}

TEST(UpgradeOpset, RefusesWhatHasNoRule) {
  EXPECT_THAT(refusal(text_model(R"(opset 8; input x float[1, 2, 3]; s: y = Scan("", x)
      {num_scan_inputs = 1, body = graph { input p float[3]; q = Relu(p); output q; }}; output y)"),
                      13),
              AllOf(HasSubstr("'s' (Scan)"), HasSubstr("opset 8 to opset 9")));
}

TEST(UpgradeOpset, RefusesNodesWithoutOutputs) {
  Model model = text_model("opset 9; input x float[3]; n: y = Softmax(x); z = Relu(x); output z");
  model.graph().mutable_node(0)->clear_output();
  EXPECT_THAT(refusal(std::move(model), 13), AllOf(HasSubstr("'n'"), HasSubstr("no output")));
}

TEST(UpgradeOpset, RefusesTargetsThatItCannotWrite) {
  for (const std::int64_t target : {12, 26})
    EXPECT_THROW((void)upgrade_opset(text_model("input x float[3]; output x"), target), Error);
}

TEST(UpgradeOpset, LeavesOtherDomainsAlone) {
  const PassResult result = upgrade_opset(text_model(R"(opset 9; opset mine 3; input x float[3];
      a = mine.Clip(x) {min = 0.0}; y = mine.Unheard(a); output y)"),
                                          21);
  EXPECT_THAT(op_types(result.model), ElementsAre("Clip", "Unheard"));
  EXPECT_EQ(result.model.graph().node(0).attribute_size(), 1);
}

TEST(UpgradeOpset, UpgradesBodies) {
  const Model before = text_model(R"(opset 11; input x float[1, 4]; input c bool[];
      r = If(c) {then_branch = graph { output t; a = Squeeze(x) {axes = [0]};
      b = If(c) {then_branch = graph { p = Unsqueeze(a) {axes = [1]}; output p; },
      else_branch = graph { q = ReduceSum(x) {axes = [1]}; output q; }};
      t = Softmax(b) {axis = 0}; }, else_branch = graph { output e; f = Unsqueeze(x) {axes = [0]};
      e = Squeeze(f) {axes = [0]}; }}; output r)");
  for (const std::int64_t target : {13, 21, 25}) {
    const PassResult result = upgrade_opset(before.clone(), target);
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U})
      expect_same_outputs(before, result.model, 0.0, seed);
  }
}

TEST(UpgradeOpset, UpgradesLoopsAndScans) {
  const Model before = text_model(R"(opset 11; input x float[1, 3]; init n int64[] {3};
      init yes bool[] {1}; a, all = Loop(n, yes, x) {body = graph { input i int64[]; input c bool[];
      input p float[1, 3]; d = Identity(c); s = Squeeze(p) {axes = [0]};
      u = Unsqueeze(s) {axes = [0]}; q = Add(u, x); r = ReduceSum(q) {axes = [1]};
      output d; output q; output r; }};
      z = Scan(x) {num_scan_inputs = 1, body = graph { input p float[3];
      u = Unsqueeze(p) {axes = [0]}; q = Softmax(u); output q; }}; output a; output all; output z)");
  for (const std::int64_t target : {13, 21, 25})
    expect_same_outputs(before, upgrade_opset(before.clone(), target).model);
}

TEST(UpgradeOpset, ReadsTheRankOfOuterValuesInBodies) {
  const PassResult result = upgrade_opset(text_model(R"(opset 11; input x float[2, 4];
      input c bool[]; a = Relu(x); r = If(c) {then_branch = graph { t = Softmax(a); output t; },
      else_branch = graph { e = Neg(a); output e; }}; output r)"),
                                          13);
  EXPECT_EQ(result.model.graph().node(1).attribute(0).g().node_size(), 1);
}

// A function of the model, called as mine.Half: the text form of tests has no functions.
Model with_function(std::int64_t opset) {
  Model model =
      text_model("ir 8; opset 12; opset mine 1; input x float[1, 4]; y = mine.Half(x); output y");
  model.set_opset(opset);
  onnx::FunctionProto& function = *model.proto().add_functions();
  function.set_domain("mine");
  function.set_name("Half");
  function.add_input("p");
  function.add_output("q");
  *function.mutable_opset_import()->Add() = model.proto().opset_import(0);
  const Model body = text_model(
      "opset 12; input p float[1, 4]; r = Squeeze(p) {axes = [0]}; q = Unsqueeze(r) {axes = [0]}; "
      "output q");
  *function.mutable_node() = body.graph().node();
  return model;
}

TEST(UpgradeOpset, UpgradesFunctions) {
  const Model before = with_function(12);
  const PassResult result = upgrade_opset(before.clone(), 13);
  const onnx::FunctionProto& function = result.model.proto().functions(0);
  EXPECT_EQ(function.opset_import(0).version(), 13);
  EXPECT_EQ(function.node_size(), 3);  // one Constant for both axes
  expect_same_outputs(before, result.model);
}

TEST(UpgradeOpset, RefusesParametersOfFunctionsWhereARuleApplies) {
  Model model = with_function(12);
  onnx::AttributeProto& axes =
      *model.proto().mutable_functions(0)->mutable_node(0)->mutable_attribute(0);
  axes.clear_ints();
  axes.set_ref_attr_name("axes");
  EXPECT_THAT(refusal(std::move(model), 13), HasSubstr("parameter of the function"));
}

}  // namespace
}  // namespace ocs
