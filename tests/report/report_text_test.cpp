#include "ocs/report/report_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sample_report.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Summary, SaysWhatWasDoneAndWhatItCost) {
  EXPECT_EQ(summary(sample_report()),
            R"(model         net.onnx -> net.int8.onnx
recipe        int8
layers        2 quantized, 3 float
              2 float: recurrent operators stay float (lstm, gru)
              1 float: kept by pattern 'conv<2>' (conv<2>)
copies        4 channels copied, layers by form: 1 slice
relative      weights 1.250, activations 1.200, MACs 1.050, of the quantized layers
size          102 MB -> 26.0 MB (25.5%)
MACs          2.50 M -> 2.60 M (+4.0%)
proofs        2 layers, worst accumulator 2^24.0 of 2^31, 3 rows with a raised scale, 1 row rounded to 0
predicted     lowest signal-to-noise of the weights: fc 20.5 dB, conv1 44.0 dB
measured      lowest signal-to-noise of a layer: conv1 31.2 dB
measured      27.5 dB at output y on 16 samples, top-1 agrees on 93.8%
measured      exact at output z
calibration   512 samples in 12.1 s
time          20.0 s
sha256        0123abcd
)");
}

TEST(Summary, LeavesOutWhatWasNotMeasured) {
  Report report = sample_report();
  report.outputs.clear();
  report.layers.resize(1);
  report.layers[0].sqnr_db.reset();
  report.calibration_samples = 0;
  const std::string text = summary(report);
  EXPECT_THAT(text, Not(HasSubstr("measured")));
  EXPECT_THAT(text, Not(HasSubstr("calibration")));
  EXPECT_THAT(text, HasSubstr("1 quantized, 0 float\ncopies"));
}

TEST(Summary, SaysWhenTheDataWasMadeUp) {
  Report report = sample_report();
  report.synthetic = true;
  EXPECT_THAT(summary(report), HasSubstr("512 made-up samples"));
}

TEST(Summary, TellsTheWeightsOfANodeApart) {
  Report report = sample_report();
  report.layers = {
      {.node = "lstm", .part = "R", .op = "LSTM", .quantized = true, .predicted_sqnr_db = 21.0},
      {.node = "lstm", .part = "W", .op = "LSTM", .quantized = true, .predicted_sqnr_db = 20.0}};
  EXPECT_THAT(summary(report), HasSubstr("weights: lstm.W 20.0 dB, lstm.R 21.0 dB"));
}

TEST(FloatReasons, GroupsLayersMostFrequentFirst) {
  const std::vector<FloatReason> groups = float_reasons(sample_report());
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_THAT(groups[0].nodes, ElementsAre("lstm", "gru"));
  EXPECT_THAT(groups[1].nodes, ElementsAre("conv<2>"));
}

}  // namespace
}  // namespace ocs
