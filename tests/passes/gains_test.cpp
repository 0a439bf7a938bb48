#include "ocs/passes/gains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/graph/verify.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;

Model two_readers() {
  return text_model(R"(
    input x float[2, 3]; init w float[3, 4] random 1; init v float[3, 4] random 2;
    a: s = Sigmoid(x);
    b: p = MatMul(s, w);
    c: q = MatMul(s, v);
    d: t = Add(p, q);
    e: u = Neg(s);
    output t; output u;
  )");
}

GainPoint point_of(std::vector<GainPoint::Reader> readers) {
  return {.value = "s", .channels = 3, .readers = std::move(readers)};
}

TEST(AddGains, PutsAMulByOnesBeforeTheReadersNamed) {
  const Model before = two_readers();
  const AddedGains added =
      add_gains(before.clone(), {point_of({{.node = "b", .input = 0}, {.node = "c", .input = 0}})});
  verify(added.model);
  ASSERT_EQ(added.nodes.size(), 1U);
  const onnx::NodeProto& gain = node_of(added.model, added.nodes[0]);
  EXPECT_EQ(gain.op_type(), "Mul");
  EXPECT_EQ(gain.input(0), "s");
  EXPECT_EQ(node_of(added.model, "b").input(0), gain.output(0));
  EXPECT_EQ(node_of(added.model, "c").input(0), gain.output(0));
  EXPECT_EQ(node_of(added.model, "e").input(0), "s") << "not asked for";
  EXPECT_THAT(initializer_of(added.model, gain.input(1)).as<float>(),
              ElementsAre(1.0F, 1.0F, 1.0F));
  expect_same_outputs(before, added.model);
}

TEST(AddGains, RefusesAReaderThatReadsSomethingElse) {
  EXPECT_THROW((void)add_gains(two_readers(), {point_of({{.node = "d", .input = 0}})}), Error);
  EXPECT_THROW((void)add_gains(two_readers(), {point_of({{.node = "z", .input = 0}})}), Error);
}

TEST(RemoveGains, UndoesIt) {
  const Model before = two_readers();
  AddedGains added = add_gains(before.clone(), {point_of({{.node = "b", .input = 0}}),
                                                point_of({{.node = "c", .input = 0}})});
  const Model after = remove_gains(std::move(added.model), {added.nodes[0]});
  verify(after);
  EXPECT_EQ(node_of(after, "b").input(0), "s");
  EXPECT_NE(node_of(after, "c").input(0), "s");
  EXPECT_EQ(after.graph().node_size(), before.graph().node_size() + 1);
  expect_same_outputs(before, after);
}

}  // namespace
}  // namespace ocs
