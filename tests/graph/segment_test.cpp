#include "ocs/graph/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

// Two blocks, the second with a way around; an output from the middle.
constexpr auto network = R"(
  input x float[N, 3, 4, 4];
  init v float[5, 3, 1, 1] random 1; init w float[5, 5, 1, 1] random 2; init unused float[2] zeros;
  c1: a = Conv(x, v); r1: b = Relu(a);
  c2: c = Conv(b, w); r2: d = Relu(c); s: e = Add(b, d);
  p: y = GlobalAveragePool(e); t: z = Tanh(d);
  output y float[N, 5, 1, 1]; output z float[N, 5, 4, 4];
)";

std::vector<std::string> cut_values(const Model& model) {
  std::vector<std::string> values;
  for (const Cut& cut : find_cuts(Graph(model)))
    values.push_back(cut.value + " behind " + Graph(model).node(cut.node).name());
  return values;
}

TEST(Cuts, AreWhereOneValueIsAllThatLaterNodesRead) {
  EXPECT_THAT(cut_values(text_model(network)),
              ElementsAre("a behind c1", "b behind r1", "d behind p"));
}

TEST(Cuts, CountWhatBodiesRead) {
  const Model model = text_model(R"(
    input x float[2]; input c bool[];
    a: y = Relu(x); b: z = Tanh(y);
    i: r = If(c) {then_branch = graph { k: s = Add(y, z); output s float[2]; },
                  else_branch = graph { l: t = Neg(z); output t float[2]; }};
    output r float[2];
  )");
  EXPECT_THAT(cut_values(model), ElementsAre());  // the condition waits all along
}

TEST(Segment, ComputesWhatTheWholeComputes) {
  const Model model = text_model(network);
  const NamedTensors inputs = random_inputs(model, 7);
  const Model front = segment(model, {}, {"b"});
  EXPECT_THAT(node_names(front), ElementsAre("c1", "r1"));
  EXPECT_THAT(initializer_names(front), ElementsAre("v"));
  const NamedTensors middle = run_once(onnx_runtime()(front, {}), inputs);
  const Model back = segment(model, {{.name = "b", .shape = middle.at("b").shape}}, {"y", "z"});
  EXPECT_THAT(node_names(back), ElementsAre("c2", "r2", "s", "p", "t"));
  EXPECT_THAT(initializer_names(back), ElementsAre("w"));
  EXPECT_EQ(run_once(onnx_runtime()(back, {}), middle),
            run_once(onnx_runtime()(model, {}), inputs));
}

TEST(Segment, LeavesExtentsFreeWhereAsked) {
  const Model part = segment(text_model(network), {{.name = "d", .shape = {-1, 5, 4, 4}}}, {"z"});
  EXPECT_EQ(part.inputs(), (std::vector<Port>{{.name = "d", .shape = {-1, 5, 4, 4}}}));
}

TEST(Segment, KeepsInputsThatStandBesideTheGivenValues) {
  const Model part = segment(text_model(network), {{.name = "d", .shape = {1, 5, 4, 4}}}, {"y"});
  EXPECT_THAT(node_names(part), ElementsAre("c1", "r1", "s", "p"));
  EXPECT_EQ(part.inputs().size(), 2U);
}

TEST(Segment, TakesAllInputsOfTheModelWhereItBeginsThere) {
  const Model model = text_model(
      "input x float[2]; input mask float[2]; a: y = Relu(x); b: z = Mul(y, mask); output z;");
  const Model part = segment(model, {}, {"y"});
  EXPECT_EQ(part.inputs().size(), 2U);
  EXPECT_NO_THROW(run_once(onnx_runtime()(part, {}), random_inputs(model, 1)));
}

TEST(Segment, RefusesValuesThatAreNotThere) {
  EXPECT_THAT([] { (void)segment(text_model(network), {}, {"nothing"}); },
              ThrowsMessage<Error>(HasSubstr("no value named 'nothing'")));
}

}  // namespace
}  // namespace ocs
