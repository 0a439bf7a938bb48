#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/lint/forecast.h"
#include "support/text_model.h"

namespace ocs {
namespace {

std::string hint_for(int inputs, int group, const std::string& target = "ort-cpu",
                     bool are_weights_float = false) {
  const Model model = text_model(fmt::format(
      "ir 8; opset 14; input x float[1, {0}, 4, 4]; init s float[] {{0.1}}; "
      "init z uint8[] {{0}}; init w {3}[{6}, {1}, 1, 1] zeros; init wz int8[] {{0}}; {4}"
      "q: i = QuantizeLinear(x, s, z); d: j = DequantizeLinear(i, s, z); "
      "dw: v = DequantizeLinear({5}, s, wz); n: a = Conv(j, v) {{group = {2}}}; "
      "q2: b = QuantizeLinear(a, s, z); d2: y = DequantizeLinear(b, s, z); output y;",
      inputs, inputs / group, group, are_weights_float ? "float" : "int8",
      are_weights_float ? "qw: k = QuantizeLinear(w, s, wz); " : "", are_weights_float ? "k" : "w",
      group == inputs ? inputs : 8));
  const LintForecast result = forecast(model, lint_target(target));
  EXPECT_TRUE(result.is_clean());
  return result.nodes.at(0).hint;
}

TEST(ChannelHint, IsGivenWhereInputChannelsAreOffTheMultiple) {
  EXPECT_EQ(hint_for(64, 1), "");
  EXPECT_EQ(hint_for(68, 1), "");
  EXPECT_THAT(hint_for(65, 1),
              testing::HasSubstr("reads 65 channels: the kernel is up to 2.2 times "
                                 "as slow as with 68; add 3 more"));
}

TEST(ChannelHint, IsGivenForFloatWeightsBehindAQuantizeLinearToo) {
  EXPECT_EQ(hint_for(65, 1, "ort-cpu", true), hint_for(65, 1));
}

TEST(ChannelHint, IsGivenWhereDepthwiseChannelsAreOffTheTile) {
  EXPECT_EQ(hint_for(32, 32), "");
  EXPECT_THAT(hint_for(24, 24),
              testing::HasSubstr("has 24 channels, depthwise: the kernel is 1.5 to 3 times as slow "
                                 "as with 32; add 8 more"));
}

TEST(ChannelHint, LeavesImagesAndGroupsAlone) {
  EXPECT_EQ(hint_for(3, 1), "");
  EXPECT_EQ(hint_for(40, 8), "");
}

TEST(ChannelHint, IsOnlyForTheEngineThatWasMeasured) { EXPECT_EQ(hint_for(65, 1, "openvino"), ""); }

}  // namespace
}  // namespace ocs
