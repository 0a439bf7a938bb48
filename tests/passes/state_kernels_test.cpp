#include "ocs/passes/state_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/graph.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;

TEST(StateKernels, TakesTheWindowFromTheWeight) {
  const Model before = text_model(R"(input x float[1, 3, 8, 8];
      init w float[4, 3, 5, 2] random 1; init v float[4, 2, 3, 3] random 2;
      conv: h = Conv(x, w) {pads = [2, 0, 2, 1]}; back: y = ConvTranspose(h, v); output y)");
  const PassResult result = state_kernels(before.clone());
  EXPECT_THAT(ints_attribute(node_of(result.model, "conv"), "kernel_shape"), ElementsAre(5, 2));
  EXPECT_THAT(ints_attribute(node_of(result.model, "back"), "kernel_shape"), ElementsAre(3, 3));
  expect_same_outputs(before, result.model, 0.0);
}

TEST(StateKernels, LeavesStatedAndComputedOnesAlone) {
  const Model before = text_model(R"(input x float[1, 3, 8, 8]; input w float[4, 3, 5, 5];
      init v float[4, 4, 3, 3] random 2;
      a: h = Conv(x, w); b: y = Conv(h, v) {kernel_shape = [3, 3]}; output y)");
  const PassResult result = state_kernels(before.clone());
  EXPECT_EQ(result.model.proto().SerializeAsString(), before.proto().SerializeAsString());
}

}  // namespace
}  // namespace ocs
