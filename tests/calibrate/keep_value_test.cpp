#include "ocs/calibrate/keep_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

constexpr auto network = R"(
  input x float[N, 3, 4, 4];
  init v float[5, 3, 1, 1] random 1;
  c: a = Conv(x, v); r: b = Relu(a); s: n = Shape(b);
  output b float[N, 5, 4, 4]; output n int64[4];
)";

constexpr std::int64_t plenty = 1 << 20;

TEST(KeepValue, HoldsWhatTheModelComputesForEachSample) {
  const Model model = text_model(network);
  const Samples samples = random_samples("x", {2, 3, 4, 4}, 40);
  const auto kept = keep_value(model, "a", samples, plenty, onnx_runtime(), {});
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->port, (Port{.name = "a", .shape = {2, 5, 4, 4}}));
  ASSERT_EQ(kept->samples.count, 40U);
  const RunModel run = onnx_runtime()(model, {.outputs = {"a"}});
  for (const std::size_t i : {0UL, 1UL, 39UL}) {
    EXPECT_EQ(kept->samples.load(i).inputs, run_once(run, samples.load(i).inputs));
    EXPECT_EQ(kept->samples.load(i).name, samples.load(i).name);
  }
}

TEST(KeepValue, LeavesExtentsFreeThatDiffer) {
  Samples samples = random_samples("x", {2, 3, 4, 4}, 3);
  samples.load = [](std::size_t i) {
    return random_samples("x", {static_cast<std::int64_t>(i) + 1, 3, 4, 4}, i + 1).load(i);
  };
  const auto kept = keep_value(text_model(network), "a", samples, plenty, onnx_runtime(), {});
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->port.shape, (Shape{-1, 5, 4, 4}));
}

TEST(KeepValue, KeepsNothingThatIsTooLargeOrNoFloat) {
  const Model model = text_model(network);
  const Samples samples = random_samples("x", {1, 3, 4, 4}, 10);
  constexpr std::int64_t exact = 10 * 5 * 16 * 4;
  EXPECT_TRUE(keep_value(model, "a", samples, exact, onnx_runtime(), {}).has_value());
  EXPECT_FALSE(keep_value(model, "a", samples, exact - 1, onnx_runtime(), {}).has_value());
  EXPECT_FALSE(keep_value(model, "n", samples, plenty, onnx_runtime(), {}).has_value());
}

TEST(KeepValue, NamesTheSampleThatDoesNotFit) {
  const Samples samples = random_samples("other", {1, 3, 4, 4}, 10);
  EXPECT_THAT(
      [&] { (void)keep_value(text_model(network), "a", samples, plenty, onnx_runtime(), {}); },
      testing::ThrowsMessage<Error>(testing::HasSubstr("sample 'sample 0'")));
}

}  // namespace
}  // namespace ocs
