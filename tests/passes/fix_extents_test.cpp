#include "ocs/passes/fix_extents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/walk.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

constexpr auto network = R"(
  input x float[N, 3, ?, ?];
  input m float[N, 2];
  a: y = Relu(x);
  info y float[N, 3, ?, K];
  b: z = Add(m, m);
  output y; output z float[N, 2];
)";

std::string message_of(const std::map<std::string, Shape>& shapes) {
  try {
    (void)fix_extents(text_model(network), shapes);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(FixExtents, GivesInputsTheExtentsOfTheDataAndNamesTheirs) {
  const PassResult result = fix_extents(text_model(network), {{"x", {1, 3, 8, 9}}, {"m", {1, 2}}});
  EXPECT_EQ(result.model.inputs().at(0).shape, (Shape{1, 3, 8, 9}));
  EXPECT_EQ(result.model.inputs().at(1).shape, (Shape{1, 2}));
  EXPECT_EQ(result.model.outputs().at(1).shape, (Shape{1, 2}));
  const auto& info = result.model.graph().value_info(0).type().tensor_type().shape();
  EXPECT_EQ(info.dim(0).dim_value(), 1);
  EXPECT_FALSE(info.dim(2).has_dim_value());
  EXPECT_EQ(info.dim(3).dim_param(), "K");
  ASSERT_EQ(result.notes.size(), 2U);
  EXPECT_THAT(result.notes[0].text, HasSubstr("'x' has the extents of the data now: [1,3,8,9]"));
}

TEST(FixExtents, StatesAShapeWhereThereIsNone) {
  const PassResult result =
      fix_extents(text_model("input x float; a: y = Relu(x); output y;"), {{"x", {2, 3}}});
  EXPECT_EQ(result.model.inputs().at(0).shape, (Shape{2, 3}));
}

TEST(FixExtents, LeavesFixedInputsAndThoseWithoutDataAlone) {
  const PassResult result =
      fix_extents(text_model("input x float[2, 3]; input c float[?]; a: y = Relu(x); output y;"),
                  {{"x", {2, 3}}});
  EXPECT_TRUE(result.notes.empty());
  EXPECT_EQ(result.model.inputs().at(1).shape, (Shape{-1}));
}

TEST(FixExtents, RefusesShapesThatDoNotFit) {
  EXPECT_THAT(message_of({{"x", {1, 3, 8}}}),
              HasSubstr("input 'x': the data have the shape [1,3,8]"));
  EXPECT_THAT(message_of({{"x", {1, 4, 8, 8}}}), HasSubstr("[1,4,8,8], which does not fit"));
}

TEST(FixExtents, LeavesANameThatStandsForSeveral) {
  const PassResult result = fix_extents(text_model(network), {{"x", {1, 3, 8, 8}}, {"m", {2, 2}}});
  EXPECT_EQ(result.model.inputs().at(1).shape, (Shape{2, 2}));
  EXPECT_EQ(result.model.outputs().at(1).shape, (Shape{-1, 2}));
}

TEST(FixExtents, TakesAStatedMinusOneForFree) {
  Model model = text_model("input x float[?, 3]; a: y = Relu(x); output y;");
  model.proto()
      .mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_value(-1);
  EXPECT_EQ(fix_extents(std::move(model), {{"x", {4, 3}}}).model.inputs().at(0).shape,
            (Shape{4, 3}));
}

TEST(FixExtents, ReachesBodiesAndChangesNoResult) {
  constexpr auto branched = R"(
    input x float[N, 2]; input c bool[];
    r: y = If(c) {then_branch = graph { info t float[N, 2]; t = Relu(x); u = Neg(t); output u; },
                  else_branch = graph { e = Neg(x); output e; }};
    output y float[N, 2];
  )";
  const Model after = fix_extents(text_model(branched), {{"x", {3, 2}}}).model;
  const NamedTensors inputs{
      {"x", {.shape = {3, 2}, .values = std::vector<float>{1, -2, 3, -4, 5, -6}}},
      {"c", {.shape = {}, .values = std::vector<Boolean>{Boolean::yes}}}};
  EXPECT_EQ(run_once(onnx_runtime()(after, {}), inputs),
            run_once(onnx_runtime()(text_model(branched), {}), inputs));
  for_each_body(after.graph().node(0), [](const onnx::GraphProto& body) {
    for (const auto& info : body.value_info())
      EXPECT_EQ(info.type().tensor_type().shape().dim(0).dim_value(), 3);
  });
  EXPECT_EQ(after.outputs().at(0).shape, (Shape{3, 2}));
}

}  // namespace
}  // namespace ocs
