#include "ocs/report/report_json.h"

#include <limits>

#include <gtest/gtest.h>

#include "report/sample_report.h"

namespace ocs {
namespace {

TEST(ReportJson, HoldsThePromisedKeys) {
  const Json json = to_json(sample_report());
  EXPECT_EQ(json["output"], "net.int8.onnx");
  EXPECT_EQ(json["seconds"], 20.0);
  EXPECT_EQ(json["calibration"]["samples"], 512);
  EXPECT_EQ(json["calibration"]["seconds"], 12.14);
  EXPECT_EQ(json["size"]["before"], 102100000);
  EXPECT_EQ(json["size"]["after"], 26000000);
  EXPECT_EQ(json["macs"]["before"], 2501000);
  EXPECT_EQ(json["macs"]["after"], 2601000);
  EXPECT_EQ(json["relative"]["weights"], 1.25);
  EXPECT_EQ(json["relative"]["activations"], 1.2);
  EXPECT_EQ(json["relative"]["macs"], 2101000.0 / 2001000.0);  // quantized layers alone
  EXPECT_EQ(json["recipe"]["weight_bits"], 8);
  ASSERT_EQ(json["layers"].size(), 5U);
  EXPECT_EQ(
      json["layers"][0].dump(),
      R"({"name":"conv1","op":"Conv","quantized":true,"reason":"","weight_bits":8,"act_bits":8,"copies":4,"form":"slice",)"
      R"("sqnr_db":31.25,"predicted_sqnr_db":44.0,"weights":36,"extra_weights":9,"activations":200,"extra_activations":40,"macs":2000000,"extra_macs":100000})");
}

TEST(ReportJson, HoldsTheProofs) {
  Report report = sample_report();
  EXPECT_EQ(
      to_json(report)["proofs"].dump(),
      R"({"layers":2,"largest_sum":16777216.0,"largest_bias":1024.0,"bias_error":0.25,"raised_rows":3,"dead_rows":1})");
  report.proofs->bias_error.reset();
  EXPECT_EQ(to_json(report)["proofs"]["bias_error"], nullptr);
  report.proofs.reset();
  EXPECT_EQ(to_json(report)["proofs"], nullptr);
}

TEST(ReportJson, HasNullForWhatIsFloatOrUnmeasured) {
  const Json json = to_json(sample_report());
  EXPECT_EQ(json["layers"][1]["weight_bits"], nullptr);
  EXPECT_EQ(json["layers"][1]["act_bits"], nullptr);
  EXPECT_EQ(json["layers"][1]["sqnr_db"], nullptr);
  EXPECT_EQ(json["layers"][4]["weight_bits"], 4);
  EXPECT_EQ(json["layers"][4]["act_bits"], nullptr);
}

TEST(ReportJson, GivesTheFirstOutputForTheModel) {
  Report report = sample_report();
  EXPECT_EQ(
      to_json(report)["measured"].dump(),
      R"({"samples":16,"sqnr_db":27.5,"agreement":93.75,"outputs":[{"name":"y","sqnr_db":27.5},{"name":"z","sqnr_db":200.0}]})");
  report.outputs.clear();
  report.agreement_percent = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(to_json(report)["measured"]["sqnr_db"], nullptr);
  EXPECT_EQ(to_json(report)["measured"]["agreement"], nullptr);
}

}  // namespace
}  // namespace ocs
