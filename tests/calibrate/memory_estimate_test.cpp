#include <gtest/gtest.h>

#include "ocs/calibrate/collect.h"
#include "support/text_model.h"

namespace ocs {
namespace {

Model two_layers() {
  return text_model(R"(
    input x float[?, 3, 8, 8];
    init w float[4, 3, 1, 1] random 1;
    conv: c = Conv(x, w);
    relu: r = Relu(c);
    info c float[N, 4, 8, 8];
    output r;
  )");
}

TEST(MemoryEstimate, GrowsWithThreadsAndBatchAndNotWithAnythingElse) {
  const Model model = two_layers();
  const std::vector<TensorRequest> requests{{.name = "x", .channel_axes = {1}}, {.name = "c"}};
  const MemoryEstimate one = memory_estimate(model, requests, 1);
  EXPECT_EQ(one.activations, (3 * 64 + 4 * 64) * sizeof(float));
  EXPECT_EQ(one.unknown_shapes, 0U);
  EXPECT_GE(one.statistics,
            2 * 2 * 4096 * sizeof(std::int64_t));  // two tensors; one thread and the result
  EXPECT_EQ(memory_estimate(model, requests, 4).activations, 4 * one.activations);
  EXPECT_EQ(memory_estimate(model, requests, 3).statistics, 2 * one.statistics);
  EXPECT_EQ(memory_estimate(model, requests, 1, 8).activations, 8 * one.activations);
  EXPECT_EQ(one.total(), one.activations + one.statistics + one.model);
}

TEST(MemoryEstimate, SaysHowManyShapesItDoesNotKnow) {
  EXPECT_EQ(memory_estimate(two_layers(), {{.name = "r"}, {.name = "c"}}, 1).unknown_shapes, 1U);
}

}  // namespace
}  // namespace ocs
