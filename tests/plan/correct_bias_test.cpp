#include "ocs/plan/correct_bias.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/text_model.h"

namespace ocs {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

TEST(TapCoverage, CountsTheZeroBorder) {
  // 3 positions, kernel 3, padding 1: the outer taps see the border in one of three outputs.
  const Model model = text_model(R"(
    input x float[1, 1, 3];
    init w float[1, 1, 3] ones;
    c: y = Conv(x, w) {kernel_shape = [3], pads = [1, 1]};
    output y;
  )");
  EXPECT_THAT(tap_coverage(model.graph().node(0), {1, 1, 3}, 3),
              ElementsAre(DoubleEq(2.0 / 3), DoubleEq(1), DoubleEq(2.0 / 3)));
  EXPECT_THAT(tap_coverage(model.graph().node(0), {1, 1, -1}, 3), ElementsAre(1, 1, 1));
}

TEST(TapCoverage, KnowsStridesDilationsAndAutoPad) {
  const Model model = text_model(R"(
    input x float[1, 1, 5];
    init w float[1, 1, 3] ones;
    s: y = Conv(x, w) {kernel_shape = [3], strides = [2], dilations = [2], pads = [2, 2]};
    a: z = Conv(x, w) {kernel_shape = [3], auto_pad = "SAME_UPPER"};
    output y; output z;
  )");
  // Outputs start at -2, 0, 2: tap 0 reads -2 0 2, tap 1 reads 0 2 4, tap 2 reads 2 4 6.
  EXPECT_THAT(tap_coverage(model.graph().node(0), {1, 1, 5}, 3),
              ElementsAre(DoubleEq(2.0 / 3), DoubleEq(1), DoubleEq(2.0 / 3)));
  EXPECT_THAT(tap_coverage(model.graph().node(1), {1, 1, 5}, 3),
              ElementsAre(DoubleEq(0.8), DoubleEq(1), DoubleEq(0.8)));
}

TEST(MeanShift, IsTheMeanOfWhatRoundingTook) {
  const std::vector<float> values{0.30F, -0.20F, 1.0F, 0.5F};
  const ChannelMatrix weight{
      .data = values, .outputs = 2, .inputs = 2, .output_stride = 2, .input_stride = 1};
  const std::vector<std::int16_t> stored{1, 0, 4, 2};
  const std::vector<float> scales{0.25F};
  const std::vector<double> means{2.0, -1.0};
  const std::vector<double> coverage{1.0};
  const std::vector<double> shift = mean_shift(weight, stored, scales, means, coverage);
  EXPECT_NEAR(shift[0], (0.30 - 0.25) * 2.0 + (-0.20 - 0.0) * -1.0,
              1e-7);  // float weights: 1e-8 of their size
  EXPECT_EQ(shift[1], 0.0);
}

// Two inputs of two taps: what the rounded weights make of the inputs' drift is added.
TEST(MeanShift, MakesUpForInputsThatDrifted) {
  const std::vector<float> values{0.5F, -0.25F, 1.0F, 0.75F};
  const ChannelMatrix weight{
      .data = values, .outputs = 1, .inputs = 2, .taps = 2, .output_stride = 4, .input_stride = 2};
  const std::vector<std::int16_t> stored{2, -1, 4, 2};  // the last one lost 0.25
  const std::vector<float> scales{0.25F};
  const std::vector<double> means{2.0, -1.0};
  const std::vector<double> coverage{1.0, 0.5};
  const std::vector<double> drift{0.1, 0.2, 0.3, -0.4};
  EXPECT_DOUBLE_EQ(mean_shift(weight, stored, scales, means, coverage, drift)[0],
                   0.25 * -1.0 * 0.5 + 0.5 * 0.1 - 0.25 * 0.2 + 1.0 * 0.3 - 0.5 * 0.4);
}

}  // namespace
}  // namespace ocs
