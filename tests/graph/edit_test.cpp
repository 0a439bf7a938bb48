#include "ocs/graph/edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/set_outputs.h"
#include "ocs/graph/verify.h"

namespace ocs {
namespace {

using testing::ElementsAre;

template <typename T>
constexpr bool can_index = std::is_constructible_v<Graph, T>;
static_assert(can_index<const Model&> && !can_index<Model&&>,
              "an index must not outlive its model");

void add_port(google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& ports,
              const std::string& name) {
  auto* port = ports.Add();
  port->set_name(name);
  port->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
}

Model model_with(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  onnx::ModelProto proto;
  for (const auto& name : inputs) add_port(*proto.mutable_graph()->mutable_input(), name);
  for (const auto& name : outputs) add_port(*proto.mutable_graph()->mutable_output(), name);
  return Model(std::move(proto));
}

std::vector<std::string> node_names(const Model& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph().node()) names.push_back(node.name());
  return names;
}

// x -> a -> y -> b -> z, and an If whose branches read y and pass z through.
Model with_body() {
  Model model = model_with({"x", "cond"}, {"out"});
  add_node(model, "Relu", "a", {"x"}, {"y"});
  add_node(model, "Relu", "b", {"y"}, {"z"});
  onnx::NodeProto& branch = add_node(model, "If", "choose", {"cond"}, {"out"});
  for (const std::string name : {"then_branch", "else_branch"}) {
    auto* attribute = branch.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    auto& body = *attribute->mutable_g();
    auto* node = body.add_node();
    node->set_op_type("Add");
    node->set_name(name + "_add");
    node->add_input("y");
    node->add_input("z");
    node->add_output(name + "_out");
    add_port(*body.mutable_output(), name + "_out");
  }
  return model.clone();  // which does not know the names yet, as after reading a file
}

TEST(Names, AreKeptWhereReservedBeforeAnyIsAskedFor) {
  Model model = model_with({"x"}, {"y"});
  model.reserve_name("w");
  EXPECT_EQ(model.unique_name("w"), "w_1");
  EXPECT_EQ(model.unique_name("x"), "x_1");
}

TEST(UniqueName, GivesTheBaseWhileItIsFree) {
  Model model = with_body();
  EXPECT_EQ(model.unique_name("w"), "w");
  EXPECT_EQ(model.unique_name("w"), "w_1");
  EXPECT_EQ(model.unique_name("w"), "w_2");
  EXPECT_EQ(model.unique_name("x"), "x_1");
  EXPECT_EQ(model.unique_name("a"), "a_1");
  EXPECT_EQ(model.unique_name("then_branch_out"), "then_branch_out_1");
  EXPECT_EQ(model.unique_name(""), "unnamed");
}

TEST(UniqueName, SkipsSuffixesThatAreTaken) {
  Model model = model_with({"w_1"}, {});
  EXPECT_EQ(model.unique_name("w"), "w");
  EXPECT_EQ(model.unique_name("w"), "w_2");
}

TEST(UniqueName, SeesNodesAddedAfterTheFirstCall) {
  Model model = model_with({"x"}, {});
  (void)model.unique_name("first");
  add_node(model, "Relu", "relu", {"x"}, {"value"});
  EXPECT_EQ(model.unique_name("relu"), "relu_1");
  EXPECT_EQ(model.unique_name("value"), "value_1");
}

// Quadratic, this would be 5e9 steps.
TEST(UniqueName, StaysQuickForManyNamesOnOneBase) {
  Model model = model_with({"x"}, {});
  std::string last;
  for (int i = 0; i <= 100'000; ++i) last = model.unique_name("scale");
  EXPECT_EQ(last, "scale_100000");
}

TEST(ModelTest, ListsPortsWithoutInitializers) {
  Model model = model_with({"x", "w"}, {"y"});
  auto& shape =
      *model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.add_dim()->set_dim_param("batch");
  shape.add_dim()->set_dim_value(3);
  model.graph().add_initializer()->set_name("w");
  EXPECT_THAT(model.inputs(), ElementsAre(Port{.name = "x", .shape = {-1, 3}}));
  EXPECT_THAT(model.outputs(), ElementsAre(Port{.name = "y"}));
}

TEST(ModelTest, KeepsOpsetAndMetadata) {
  Model model;
  EXPECT_EQ(model.opset(), 1);
  auto* custom = model.proto().add_opset_import();
  custom->set_domain("com.example");
  custom->set_version(7);
  model.set_opset(13);
  model.set_opset(21);
  EXPECT_EQ(model.opset(), 21);
  EXPECT_EQ(model.proto().opset_import_size(), 2);
  EXPECT_EQ(model.metadata("ocs.version"), "");
  model.set_metadata("ocs.version", "1");
  model.set_metadata("ocs.version", "2");
  EXPECT_EQ(model.metadata("ocs.version"), "2");
  EXPECT_EQ(model.clone().metadata("ocs.version"), "2");
}

TEST(GraphTest, KnowsProducersUsesAndCaptures) {
  const Model model = with_body();
  const Graph graph(model);
  EXPECT_EQ(graph.producer("y")->name(), "a");
  EXPECT_EQ(graph.producer("x"), nullptr);
  EXPECT_THAT(graph.uses("y"),
              ElementsAre(Use{.node = 1, .input = 0}, Use{.node = 2, .input = -1}));
  EXPECT_THAT(graph.uses("z"), ElementsAre(Use{.node = 2, .input = -1}));
  EXPECT_EQ(graph.only_consumer("x")->name(), "a");
  EXPECT_EQ(graph.only_consumer("y"), nullptr);  // two readers
  EXPECT_EQ(graph.only_consumer("z"), nullptr);  // a capture
  EXPECT_EQ(graph.only_consumer("out"), nullptr);
  EXPECT_TRUE(graph.is_graph_input("cond"));
  EXPECT_TRUE(graph.is_graph_output("out"));
  EXPECT_EQ(graph.node_named("choose")->op_type(), "If");
  EXPECT_EQ(graph.node_named("nobody"), nullptr);
}

TEST(GraphTest, CountsAnInputThatIsAnInitializerAsInitializer) {
  Model model = model_with({"x", "w"}, {});
  model.graph().add_initializer()->set_name("w");
  const Graph graph(model);
  EXPECT_FALSE(graph.is_graph_input("w"));
  EXPECT_NE(graph.initializer("w"), nullptr);
  EXPECT_EQ(graph.initializer("x"), nullptr);
}

TEST(Attributes, FallBackAndRefuseAnotherType) {
  onnx::NodeProto node;
  node.set_name("conv");
  node.set_op_type("Conv");
  set_attribute(node, "group", std::int64_t{2});
  set_attribute(node, "pads", std::vector<std::int64_t>{1, 2});
  set_attribute(node, "alpha", 0.5F);
  EXPECT_EQ(int_attribute(node, "group", 1), 2);
  EXPECT_EQ(int_attribute(node, "axis", -1), -1);
  EXPECT_THAT(ints_attribute(node, "pads"), ElementsAre(1, 2));
  EXPECT_THAT(ints_attribute(node, "strides"), ElementsAre());
  EXPECT_EQ(float_attribute(node, "alpha", 1.0F), 0.5F);
  EXPECT_EQ(string_attribute(node, "auto_pad", "NOTSET"), "NOTSET");
  try {
    (void)int_attribute(node, "pads", 0);
    FAIL() << "a list was taken for a number";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "node 'conv' (Conv): attribute 'pads' is of type INTS instead of INT");
  }
  set_attribute(node, "pads", std::int64_t{3});  // another type replaces the first
  EXPECT_EQ(int_attribute(node, "pads", 0), 3);
  EXPECT_EQ(node.attribute_size(), 3);
  remove_attribute(node, "pads");
  EXPECT_EQ(attribute(node, "pads"), nullptr);
}

TEST(ReplaceUses, ReachesBodiesAndLeavesGraphOutputs) {
  Model model = with_body();
  replace_uses(model, "y", "y2");
  replace_uses(model, "out", "other");
  EXPECT_EQ(model.graph().node(1).input(0), "y2");
  EXPECT_EQ(model.graph().node(2).attribute(1).g().node(0).input(0), "y2");
  EXPECT_EQ(model.graph().output(0).name(), "out");
}

TEST(ReplaceUses, StopsWhereABodyDefinesTheNameItself) {
  Model model = with_body();
  model.graph().mutable_node(2)->mutable_attribute(0)->mutable_g()->add_initializer()->set_name(
      "y");
  replace_uses(model, "y", "y2");
  EXPECT_EQ(model.graph().node(2).attribute(0).g().node(0).input(0), "y");
  EXPECT_EQ(model.graph().node(2).attribute(1).g().node(0).input(0), "y2");
}

TEST(ReplaceUses, SwapsTwoNamesInOneWalk) {
  Model model = with_body();
  replace_uses(model, {{"y", "z"}, {"z", "y"}});
  EXPECT_THAT(model.graph().node(2).attribute(0).g().node(0).input(), ElementsAre("z", "y"));
}

TEST(RemoveNodes, KeepsTheOrderOfTheOthers) {
  Model model = with_body();
  remove_nodes(model, {"b", "nobody"});
  EXPECT_THAT(node_names(model), ElementsAre("a", "choose"));
}

TEST(SortTopologically, MovesAProducerInFrontOfItsFirstReaderAndNothingElse) {
  Model model = model_with({"x"}, {"out"});
  add_node(model, "Relu", "first", {"x"}, {"a"});
  add_node(model, "Add", "needs_late", {"a", "late_value"}, {"b"});
  add_node(model, "Relu", "last", {"b"}, {"out"});
  add_node(model, "Relu", "late", {"x"}, {"late_value"});
  sort_topologically(model);
  EXPECT_THAT(node_names(model), ElementsAre("first", "late", "needs_late", "last"));
  verify(model);
}

TEST(SortTopologically, CountsWhatBodiesCapture) {
  Model model = with_body();
  model.graph().mutable_node()->SwapElements(
      1, 2);  // the If in front of b, whose output its branches read
  EXPECT_THROW(verify(model), Error);
  sort_topologically(model);
  EXPECT_THAT(node_names(model), ElementsAre("a", "b", "choose"));
}

TEST(SortTopologically, NamesANodeOnACycle) {
  Model model = model_with({"x"}, {"out"});
  add_node(model, "Add", "one", {"x", "b"}, {"a"});
  add_node(model, "Relu", "two", {"a"}, {"b"});
  add_node(model, "Relu", "three", {"b"}, {"out"});
  try {
    sort_topologically(model);
    FAIL() << "a cycle was sorted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::bad_input);
    EXPECT_STREQ(error.what(),
                 "node 'one' (Add) is on a cycle: its output is needed to compute its input");
  }
}

// A chain written backwards: recursion would be a hundred thousand calls deep.
TEST(SortTopologically, TurnsALongChainAround) {
  constexpr int length = 100'000;
  Model model = model_with({"v0"}, {});
  for (int i = length; i > 0; --i) {
    auto& node = *model.graph().add_node();
    node.set_op_type("Relu");
    node.add_input("v" + std::to_string(i - 1));
    node.add_output("v" + std::to_string(i));
  }
  sort_topologically(model);
  for (int i = 0; i < length; ++i)
    ASSERT_EQ(model.graph().node(i).output(0), "v" + std::to_string(i + 1));
}

TEST(Verify, AcceptsAWholeModel) { verify(with_body()); }

std::string complaint_about(const Model& model) {
  try {
    verify(model);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::internal);
    return error.what();
  }
  return "nothing";
}

TEST(Verify, NamesWhatIsWrong) {
  Model unknown = with_body();
  unknown.graph().mutable_node(1)->set_input(0, "nowhere");
  EXPECT_EQ(complaint_about(unknown), "node 'b' (Relu) reads 'nowhere', which nothing computes");
  Model late = with_body();
  late.graph().mutable_node()->SwapElements(0, 1);
  EXPECT_EQ(complaint_about(late), "node 'b' (Relu) reads 'y', which is computed only after it");
  Model twice = with_body();
  twice.graph().mutable_node(1)->set_output(0, "y");
  EXPECT_EQ(complaint_about(twice), "node 'b' (Relu) writes 'y', which has a value already");
  Model named = with_body();
  named.graph().mutable_node(1)->set_name("a");
  EXPECT_EQ(complaint_about(named), "node 'a' (Relu): another node has this name");
  Model output = with_body();
  output.graph().mutable_output(0)->set_name("gone");
  EXPECT_EQ(complaint_about(output), "graph output 'gone' is not computed by any node");
  Model body = with_body();
  body.graph().mutable_node(2)->mutable_attribute(0)->mutable_g()->mutable_node(0)->set_input(
      1, "nowhere");
  EXPECT_EQ(complaint_about(body),
            "node 'then_branch_add' (Add) reads 'nowhere', which nothing computes");
  Model tensors = with_body();
  tensors.graph().add_initializer()->set_name("w");
  tensors.graph().add_initializer()->set_name("w");
  EXPECT_EQ(complaint_about(tensors), "two initializers are named 'w'");
}

TEST(CheckValues, AllowsTwoNodesOfOneName) {
  Model model = with_body();
  model.graph().mutable_node(1)->set_name("a");
  check_values(model, Error::Kind::bad_input);
  model.graph().mutable_output(0)->set_name("gone");
  EXPECT_THROW(check_values(model, Error::Kind::bad_input), Error);
}

TEST(Verify, AcceptsAnOptionalInputThatIsLeftOut) {
  Model model = model_with({"x"}, {"y"});
  add_node(model, "Clip", "clip", {"x", "", ""}, {"y"});
  verify(model);
}

TEST(SetOutputs, TakesInnerValuesInTheOrderOfTheirNames) {
  Model model = with_body();
  auto* info = model.graph().add_value_info();
  info->set_name("z");
  info->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  set_outputs(model.graph(), {"y", "z", "y"});
  ASSERT_EQ(model.graph().output_size(), 2);
  EXPECT_EQ(model.graph().output(0).name(), "y");
  EXPECT_FALSE(model.graph().output(0).has_type());
  EXPECT_EQ(model.graph().output(1).name(), "z");
  EXPECT_TRUE(model.graph().output(1).has_type());
}

TEST(SetOutputs, RefusesAValueThatTheModelHasNotAndChangesNothing) {
  Model model = with_body();
  const std::string before = model.proto().SerializeAsString();
  EXPECT_THROW(set_outputs(model.graph(), {"y", "nowhere"}), Error);
  EXPECT_EQ(model.proto().SerializeAsString(), before);
}

}  // namespace
}  // namespace ocs
