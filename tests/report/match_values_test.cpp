#include "ocs/report/match_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Model float_chain() {
  return text_model(R"(
      input x float[1,2,4,4]; init w float[2,2,1,1] ones; init v float[2] ones;
      conv: c = Conv(x, w); bn: b = BatchNormalization(c, v, v, v, v); relu: r = Relu(b); out: y = Conv(r, w); output y float)");
}

TEST(MatchValues, FindsAValueUnderItsOwnName) {
  const Model quantized =
      text_model("input x float; conv: c = Relu(x); out: y = Relu(c); output y float");
  EXPECT_THAT(match_values(float_chain(), quantized, {"conv", "out"}),
              ElementsAre(MatchedValue{.node = "conv", .reference = "c", .quantized = "c"},
                          MatchedValue{.node = "out", .reference = "y", .quantized = "y"}));
}

TEST(MatchValues, PrefersTheQuantizedValueBehindTheActivation) {
  const Model quantized = text_model(R"(
      input x float; conv: b = Relu(x); relu: r = Relu(b); q = QuantizeLinear(r); r_DequantizeLinear_Output = DequantizeLinear(q);
      output r_DequantizeLinear_Output float)");
  EXPECT_THAT(match_values(float_chain(), quantized, {"conv"}),
              ElementsAre(MatchedValue{
                  .node = "conv", .reference = "r", .quantized = "r_DequantizeLinear_Output"}));
}

TEST(MatchValues, FindsTheResultBehindAnAbsorbedBatchNormalization) {
  const Model quantized = text_model("input x float; conv: b = Relu(x); output b float");
  EXPECT_THAT(match_values(float_chain(), quantized, {"conv"}),
              ElementsAre(MatchedValue{.node = "conv", .reference = "b", .quantized = "b"}));
}

TEST(MatchValues, StopsWhereAValueIsReadTwice) {
  const Model reference = text_model(R"(
      input x float[1,2,4,4]; init w float[2,2,1,1] ones;
      conv: c = Conv(x, w); s = Sigmoid(c); y = Mul(c, s); output y float)");
  const Model quantized = text_model(
      "input x float; s_DequantizeLinear_Output = Relu(x); output s_DequantizeLinear_Output float");
  EXPECT_THAT(match_values(reference, quantized, {"conv"}), IsEmpty());
}

TEST(MatchValues, LeavesOutWhatTheQuantizedModelLacks) {
  const Model quantized = text_model("input x float; z = Relu(x); output z float");
  EXPECT_THAT(match_values(float_chain(), quantized, {"conv", "no such node"}), IsEmpty());
}

}  // namespace
}  // namespace ocs
