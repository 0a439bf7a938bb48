#include "ocs/report/layer_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/text_model.h"

namespace ocs {
namespace {

Plan some_plan() {
  Plan plan;
  plan.layers.push_back({.node = "conv1",
                         .op = "Conv",
                         .weight_bits = 4,
                         .act_bits = 8,
                         .stored = std::vector<std::int16_t>(12),
                         .copies = {1, 3, 1, 1},
                         .form = SplitForm::slice,
                         .macs = 1000,
                         .activations = 40,
                         .predicted_sqnr_db = 21.5,
                         .remark = "rows repaired"});
  plan.layers.push_back({.node = "fc", .op = "Gemm", .macs = 10, .predicted_sqnr_db = 40.0});
  plan.skipped.push_back({.node = "inside a body", .op = "Conv", .reason = "lies in a body"});
  plan.skipped.push_back(
      {.node = "conv2", .op = "Conv", .reason = "kept by a pattern", .macs = 77});
  return plan;
}

Model some_model() {
  return text_model(R"(input x float; init w float[1] ones;
      conv1: a = Conv(x, w); conv2: b = Conv(a, w); fc: y = Gemm(b, w); output y float)");
}

TEST(LayerReports, ListPlannedAndFloatLayersInGraphOrder) {
  const std::vector<LayerReport> rows = layer_reports(some_plan(), some_model());
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].node, "conv1");
  EXPECT_EQ(rows[1].node, "conv2");
  EXPECT_EQ(rows[2].node, "fc");
  EXPECT_EQ(rows[3].node, "inside a body");
}

TEST(LayerReports, SayWhatThePlanKnows) {
  const std::vector<LayerReport> rows = layer_reports(some_plan(), some_model());
  EXPECT_EQ(rows[0], (LayerReport{.node = "conv1",
                                  .op = "Conv",
                                  .quantized = true,
                                  .reason = "rows repaired",
                                  .weight_bits = 4,
                                  .act_bits = 8,
                                  .copies = 2,
                                  .form = "slice",
                                  .predicted_sqnr_db = 21.5,
                                  .weights = 12,
                                  .extra_weights = 6,
                                  .activations = 40,
                                  .extra_activations = 20,
                                  .macs = 1000,
                                  .extra_macs = 500}));
  EXPECT_EQ(
      rows[1],
      (LayerReport{.node = "conv2", .op = "Conv", .reason = "kept by a pattern", .macs = 77}));
  EXPECT_EQ(rows[2].form, "");
  EXPECT_EQ(rows[2].extra_macs, 0);
}

}  // namespace
}  // namespace ocs
