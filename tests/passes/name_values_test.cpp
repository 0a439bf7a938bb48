#include "ocs/passes/name_values.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/walk.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Every name that is defined, as often as it is.
std::multiset<std::string> defined_names(const Model& model) {
  std::multiset<std::string> names;
  for_each_graph(model.graph(), [&](const onnx::GraphProto& graph) {
    for (const auto& input : graph.input()) names.insert(input.name());
    for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
    for (const auto& node : graph.node()) names.insert(node.output().begin(), node.output().end());
  });
  return names;
}

// `w`, `t` and `u` in both branches, of which one holds a body that reads all of them.
constexpr auto branches = R"(input x float[3]; input c bool[]; input d bool[];
    y = If(c) {then_branch = graph { init w float[3] {1, 2, 3}; t = Add(x, w); u = Neg(t); output u; },
    else_branch = graph { init w float[3] {4, 5, 6}; t = Mul(x, w);
    u = If(d) {then_branch = graph { v = Add(t, w); output v; }, else_branch = graph { v = Sub(t, w); output v; }};
    output u; }}; output y)";

TEST(NameValues, LeavesEveryNameToOneValue) {
  const PassResult result = name_values(text_model(branches));
  const std::multiset<std::string> names = defined_names(result.model);
  EXPECT_EQ(names.size(), std::set<std::string>(names.begin(), names.end()).size());
  EXPECT_TRUE(names.contains("w_1"));
  EXPECT_TRUE(names.contains("v_1"));
}

TEST(NameValues, KeepsTheOutputs) {
  const Model before = text_model(branches);
  const Model after = name_values(before.clone()).model;
  for (const bool c : {false, true})
    for (const bool d : {false, true}) {
      NamedTensors inputs{{"x", random_tensor({3}, 1)}};
      inputs["c"] = {.values = std::vector<Boolean>{Boolean{c}}};
      inputs["d"] = {.values = std::vector<Boolean>{Boolean{d}}};
      expect_same_outputs(before, after, 0.0, inputs);
    }
}

TEST(NameValues, ChangesNothingWhereNamesDiffer) {
  const Model model = text_model(R"(input x float[3]; input c bool[]; a = Neg(x);
      y = If(c) {then_branch = graph { t = Neg(a); output t; }, else_branch = graph { e = Abs(x); output e; }};
      output y)");
  const Model after = name_values(model.clone()).model;
  EXPECT_EQ(after.proto().SerializeAsString(), model.proto().SerializeAsString());
}

}  // namespace
}  // namespace ocs
