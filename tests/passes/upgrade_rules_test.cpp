// One test for each rule: the model of the old opset and the upgraded one give the same outputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/passes/upgrade_opset.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// To each opset that the tool writes.
void expect_equal_upgrade(std::string_view text, double tolerance = 0.0) {
  SCOPED_TRACE(text);
  const Model before = text_model(text);
  for (const std::int64_t target : {13, 21, 25}) {
    if (target <= before.opset()) continue;
    SCOPED_TRACE(target);
    const PassResult result = upgrade_opset(before.clone(), target);
    EXPECT_EQ(result.model.opset(), target);
    expect_same_outputs(before, result.model, tolerance);
  }
}

void expect_refused(std::string_view text, const std::string& node, const std::string& why) {
  SCOPED_TRACE(text);
  try {
    (void)upgrade_opset(text_model(text), 25);
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::unsupported);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'" + node + "'"), HasSubstr(why)));
  }
}

std::vector<std::string> upgraded_types(std::string_view text, std::int64_t target) {
  return op_types(upgrade_opset(text_model(text), target).model);
}

TEST(UpgradeUpsample, BecomesAsymmetricResize) {
  expect_equal_upgrade(R"(opset 7; input x float[1, 2, 3, 5];
      y = Upsample(x) {mode = "nearest", scales = [1.0, 1.0, 2.0, 1.7]}; output y)");
  expect_equal_upgrade(R"(opset 7; input x float[1, 2, 3, 5];
      y = Upsample(x) {mode = "linear", scales = [1.0, 1.0, 2.0, 1.7]}; output y)");
  expect_equal_upgrade(R"(opset 9; input x float[1, 2, 3, 5]; init s float[4] {1, 1, 3, 1};
      y = Upsample(x, s); output y)");
}

TEST(UpgradeUpsample, NeedsOneResizeEvenForComputedScales) {
  constexpr auto text = R"(opset 9; input x float[1, 2, 3, 5]; init s float[4] {1, 1, 2, 2.5};
      init one float[1] ones; t = Mul(s, one); y = Upsample(x, t) {mode = "nearest"}; output y)";
  expect_equal_upgrade(text);
  EXPECT_THAT(upgraded_types(text, 13), testing::ElementsAre("Mul", "Resize"));
}

TEST(UpgradeResize, RoundsUpWhereExtentsShrink) {
  for (const std::string scales : {"2, 2", "1.7, 1.3", "0.5, 0.3", "0.6, 0.6", "1, 1"}) {
    const std::string text = "opset 10; input x float[1, 2, 5, 7]; init s float[4] {1, 1, " +
                             scales + "}; y = Resize(x, s) {mode = \"nearest\"}; output y";
    expect_equal_upgrade(text);
    EXPECT_THAT(upgraded_types(text, 13), testing::ElementsAre("Resize"));
  }
}

TEST(UpgradeResize, GrowsThenShrinksWhereBothHappenOrNothingIsKnown) {
  expect_equal_upgrade(R"(opset 10; input x float[1, 2, 5, 7]; init s float[4] {1, 1, 3.3, 0.29};
      y = Resize(x, s) {mode = "nearest"}; output y)");
  expect_equal_upgrade(R"(opset 10; input x float[1, 2, 5, 7]; init s float[4] {1, 1, 2, 0.6};
      init one float[1] ones; t = Mul(s, one); y = Resize(x, t); output y)");
}

TEST(UpgradeResize, InterpolatesAsBefore) {
  expect_equal_upgrade(R"(opset 10; input x float[1, 2, 5, 7]; init s float[4] {1, 1, 2, 0.6};
      y = Resize(x, s) {mode = "linear"}; output y)");
}

TEST(UpgradeResize, ReplacesHalfPixelForNearest) {
  for (const std::string scales : {"2, 3", "0.5, 0.3", "1.7, 0.6", "2.5, 0.25"})
    expect_equal_upgrade(
        "opset 11; input x float[1, 2, 5, 7]; init e float[0] {}; init s float[4] {1, 1, " +
        scales +
        "}; y = Resize(x, e, s) {mode = \"nearest\", nearest_mode = \"floor\", "
        "coordinate_transformation_mode = \"tf_half_pixel_for_nn\"}; output y");
  expect_refused(R"(opset 11; input x float[1, 2, 5, 7]; init e float[0] {};
      init s float[4] {1, 1, 2, 2}; grow: y = Resize(x, e, s) {mode = "linear",
      coordinate_transformation_mode = "tf_half_pixel_for_nn"}; output y)",
                 "grow", "tf_half_pixel_for_nn");
}

TEST(UpgradeSlice, TakesBoundsAsInputs) {
  expect_equal_upgrade(R"(opset 9; input x float[3, 4, 5];
      y = Slice(x) {starts = [0, -3], ends = [2, 9223372036854775807], axes = [0, 2]}; output y)");
  expect_equal_upgrade(R"(opset 7; input x float[3, 4];
      y = Slice(x) {starts = [1, 0], ends = [3, -1]}; output y)");
}

TEST(UpgradeTopK, TakesKAsInput) {
  expect_equal_upgrade(R"(opset 7; input x float[3, 7]; v, i = TopK(x) {k = 3, axis = 1};
      output v; output i)");
}

TEST(UpgradeClip, TakesBoundsAsInputs) {
  expect_equal_upgrade(R"(opset 7; input x float[3, 7]; a = Clip(x) {min = -0.5, max = 0.5};
      b = Clip(x) {min = 0.0}; c = Clip(x) {max = 0.25}; d = Clip(x);
      output a; output b; output c; output d)");
}

// ONNX Runtime has no Clip of opset 6 for these types, so the bounds are looked at instead.
TEST(UpgradeClip, GivesBoundsTheTypeOfTheInput) {
  const PassResult doubles = upgrade_opset(text_model(R"(opset 10; input x double[3]; t = Relu(x);
      clip: y = Clip(t) {min = 0.125, max = 0.5}; output y)"),
                                           13);
  EXPECT_EQ(initializer_of(doubles.model, "clip_min"),
            (Tensor{.values = std::vector<double>{0.125}}));
  EXPECT_EQ(initializer_of(doubles.model, "clip_max"),
            (Tensor{.values = std::vector<double>{0.5}}));
  const PassResult halves = upgrade_opset(text_model(R"(opset 10; input x float[3];
      h = Cast(x) {to = 10}; clip: c = Clip(h) {min = 0.0, max = 0.5}; y = Cast(c) {to = 1};
      output y)"),
                                          13);
  EXPECT_THAT(op_types(halves.model), testing::ElementsAre("Cast", "Cast", "Cast", "Clip", "Cast"));
  expect_same_outputs(text_model(R"(opset 13; input x float[3]; init lo float16[] {0};
      init hi float16[] {0.5}; h = Cast(x) {to = 10}; c = Clip(h, lo, hi); y = Cast(c) {to = 1};
      output y)"),
                      halves.model);
}

TEST(UpgradeClip, SharesEqualBounds) {
  const PassResult result = upgrade_opset(text_model(R"(opset 7; input x float[3];
      a = Clip(x) {min = 0.0, max = 6.0}; b = Clip(a) {min = 0.0, max = 6.0}; output b)"),
                                          13);
  EXPECT_EQ(initializer_names(result.model).size(), 2U);
}

TEST(UpgradePad, TakesPadsAndValueAsInputs) {
  expect_equal_upgrade(R"(opset 7; input x float[2, 3, 4];
      a = Pad(x) {pads = [0, 1, 2, 0, 0, 1], value = 1.5};
      b = Pad(x) {pads = [0, 1, 2, 0, 0, 1], mode = "reflect"};
      c = Pad(x) {pads = [0, 1, 0, 0, 0, -1], mode = "edge"}; output a; output b; output c)");
  expect_equal_upgrade(R"(opset 10; input x double[2]; y = Pad(x) {pads = [1, 1], value = 2.0};
      output y)");
}

TEST(UpgradeSqueeze, TakesAxesAsInput) {
  expect_equal_upgrade(R"(opset 7; input x float[1, 3, 1, 2]; y = Squeeze(x) {axes = [0, 2]};
      z = Squeeze(x); output y; output z)");
  expect_equal_upgrade(R"(opset 11; input x float[1, 3, 1, 2]; y = Squeeze(x) {axes = [-2]};
      output y)");
}

TEST(UpgradeUnsqueeze, TakesAxesAsInput) {
  expect_equal_upgrade(R"(opset 7; input x float[3, 2]; y = Unsqueeze(x) {axes = [0, 3]};
      output y)");
}

TEST(UpgradeReductions, TakeAxesAsInput) {
  for (const std::string op :
       {"L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"}) {
    const std::string reduce = "Reduce" + op;
    expect_equal_upgrade("opset 7; input x float[2, 3, 4]; p = Abs(x); a = " + reduce +
                         "(p) {axes = [0, 2]}; b = " + reduce +
                         "(p) {axes = [1], keepdims = 0}; c = " + reduce +
                         "(p); output a; output b; output c");
    expect_equal_upgrade("opset 12; input x float[2, 3, 4]; p = Abs(x); a = " + reduce +
                         "(p) {axes = [-1]}; output a");
  }
}

TEST(UpgradeSplit, TakesLengthsAsInput) {
  expect_equal_upgrade(R"(opset 7; input x float[2, 6]; a, b = Split(x) {axis = 1, split = [1, 5]};
      output a; output b)");
}

TEST(UpgradeSplit, SaysHowManyEqualParts) {
  expect_equal_upgrade(R"(opset 7; input x float[2, 6]; a, b, c = Split(x) {axis = 1};
      output a; output b; output c)");
  expect_equal_upgrade(R"(opset 13; input x float[2, 6]; a, b = Split(x) {axis = 1};
      output a; output b)");
}

TEST(UpgradeSoftmax, KeepsASingleAxisSimple) {
  for (const std::string op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    const std::string matrix = "opset 7; input x float[3, 5]; y = " + op + "(x); output y";
    expect_equal_upgrade(matrix);
    EXPECT_THAT(upgraded_types(matrix, 13), testing::ElementsAre(op));
    const std::string last =
        "opset 11; input x float[3, 5, 2]; y = " + op + "(x) {axis = -1}; output y";
    expect_equal_upgrade(last);
    EXPECT_THAT(upgraded_types(last, 13), testing::ElementsAre(op));
  }
}

TEST(UpgradeSoftmax, FlattensWhereSeveralAxesCounted) {
  for (const std::string op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    for (const std::string axis : {"0", "1", "2"})
      expect_equal_upgrade("opset 7; input x float[2, 3, 4, 2]; y = " + op + "(x) {axis = " + axis +
                           "}; output y");
    expect_equal_upgrade("opset 11; input x float[2, 3, 4, 2]; y = " + op +
                         "(x) {axis = -2}; output y");
  }
}

TEST(UpgradeSoftmax, FlattensWhereTheRankIsNotKnown) {
  const std::string text = R"(opset 9; input x float[2, 6]; init s int64[2] {3, 4};
      init one int64[1] {1}; shape = Mul(s, one); t = Reshape(x, shape); y = Softmax(t); output y)";
  EXPECT_THAT(upgraded_types(text, 13), Contains("Flatten"));
  expect_equal_upgrade(text);
}

TEST(UpgradeSoftmax, KnowsTheRankBehindCommonOperators) {
  const std::string text = R"(opset 9; input x float[2, 3, 4, 4]; init w float[5, 3, 1, 1] random 1;
      init f float[5, 7] random 2; a = Conv(x, w); b = BatchNormalization(a, m, m, m, m);
      init m float[5] ones; c = Relu(b); d = GlobalAveragePool(c); e = Flatten(d);
      g = MatMul(e, f); y = Softmax(g); output y)";
  EXPECT_THAT(upgraded_types(text, 13), Not(Contains("Shape")));
  expect_equal_upgrade(text);
}

TEST(UpgradeDropout, KeepsInference) {
  expect_equal_upgrade(R"(opset 7; input x float[3, 5]; y, mask = Dropout(x) {ratio = 0.25};
      output y)");
  expect_equal_upgrade(R"(opset 10; input x float[3, 5]; y = Dropout(x); output y)");
}

TEST(UpgradeDropout, RefusesAMaskThatIsRead) {
  expect_refused(R"(opset 9; input x float[3, 5]; drop: y, mask = Dropout(x); z = Mul(y, mask);
      output z)",
                 "drop", "mask");
  expect_refused(R"(opset 10; input x float[3]; drop: y, mask = Dropout(x); output y; output mask)",
                 "drop", "mask");
}

TEST(UpgradeBatchNormalization, WritesOutStatisticsForEachElement) {
  // The order of the operations in ONNX Runtime's kernel is not ours.
  expect_equal_upgrade(R"(opset 7; input x float[2, 3, 4]; init s float[3, 4] random 1;
      init b float[3, 4] random 2; init m float[3, 4] random 3; init v float[3, 4] ones;
      y = BatchNormalization(x, s, b, m, v) {spatial = 0, epsilon = 0.5}; output y)",
                       float_rounding);
}

TEST(UpgradeBatchNormalization, DropsTheAttributeOfTheOrdinaryForm) {
  expect_equal_upgrade(R"(opset 7; input x float[2, 3, 4]; init s float[3] random 1;
      init b float[3] random 2; init m float[3] random 3; init v float[3] ones;
      y = BatchNormalization(x, s, b, m, v) {spatial = 1, momentum = 0.5}; output y)");
}

// Whether the statistics are read or not: with them, the first output is that of training.
TEST(UpgradeBatchNormalization, RefusesTraining) {
  for (const std::string outputs : {"output y; output m", "output y"})
    expect_refused(
        "opset 9; input x float[2, 3, 4]; init s float[3] ones; norm: y, m, v, p, q = "
        "BatchNormalization(x, s, s, s, s); " +
            outputs,
        "norm", "training");
}

TEST(UpgradeGroupNormalization, RepeatsScaleAndBiasForEachChannel) {
  expect_equal_upgrade(R"(opset 18; input x float[2, 6, 4]; init s float[2] random 1;
      init b float[2] random 2; y = GroupNormalization(x, s, b) {num_groups = 2}; output y)",
                       float_rounding);
}

TEST(UpgradeScatter, BecomesScatterElements) {
  expect_equal_upgrade(R"(opset 9; input x float[3, 3]; init i int64[2, 3] {1, 0, 2, 0, 2, 1};
      init u float[2, 3] random 1; y = Scatter(x, i, u); z = Scatter(x, i, u) {axis = 1};
      output y; output z)");
}

// Not to 25: ONNX Runtime has no kernel for RoiAlign of opset 22.
TEST(UpgradeRoiAlign, KeepsTheOldCoordinates) {
  const Model before = text_model(R"(opset 10; input x float[2, 3, 8, 8];
      init r float[2, 4] {1, 1, 5, 6.5, 0, 2, 3.5, 4}; init i int64[2] {0, 1};
      y = RoiAlign(x, r, i) {output_height = 3, output_width = 2, sampling_ratio = 2,
      spatial_scale = 0.8}; output y)");
  expect_same_outputs(before, upgrade_opset(before.clone(), 21).model);
}

TEST(UpgradeGridSample, RenamesModes) {
  for (const std::string mode : {"bilinear", "bicubic", "nearest"})
    expect_equal_upgrade(
        "opset 16; input x float[1, 2, 5, 5]; input g float[1, 3, 4, 2]; "
        "y = GridSample(x, g) {mode = \"" +
        mode + "\"}; output y");
  expect_equal_upgrade(R"(opset 16; input x float[1, 2, 5, 5]; input g float[1, 3, 4, 2];
      y = GridSample(x, g); output y)");
}

TEST(UpgradeDft, TakesTheAxisAsInput) {
  expect_equal_upgrade(R"(opset 17; input x float[2, 8, 4, 1]; a = DFT(x);
      b = DFT(x) {axis = 2, onesided = 1}; output a; output b)");
}

TEST(UpgradeCast, RefusesFloat8WhoseInfinityChanged) {
  expect_refused(R"(opset 21; input x float[3]; cast: y = Cast(x) {to = 18}; output y)", "cast",
                 "FNUZ");
}

// What the table calls unchanged though its text changed: held to be so.
TEST(UpgradeOpset, LeavesAloneWhatMeansTheSame) {
  for (const std::string pool :
       {"AveragePool(x) {kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 0, 1], "
        "ceil_mode = 1, count_include_pad = 1}",
        "AveragePool(x) {kernel_shape = [2, 2], strides = [3, 3], auto_pad = \"SAME_LOWER\"}",
        "MaxPool(x) {kernel_shape = [3, 3], strides = [2, 2], pads = [1, 0, 1, 1], ceil_mode = 1}",
        "MaxPool(x) {kernel_shape = [3, 2], strides = [2, 2], auto_pad = \"SAME_UPPER\"}",
        "LpPool(x) {kernel_shape = [3, 3], strides = [2, 2], pads = [1, 0, 1, 1], p = 2}",
        "LRN(x) {size = 3}", "DepthToSpace(x) {blocksize = 2}", "ArgMax(x) {axis = 1}",
        "Flatten(x) {axis = 2}"})
    expect_equal_upgrade("opset 10; input x float[1, 4, 7, 8]; y = " + pool + "; output y");
  for (const std::string padding : {"SAME_UPPER", "SAME_LOWER"})
    expect_equal_upgrade(
        "opset 10; input x float[1, 2, 5, 6]; init w float[2, 3, 3, 3] random 1; "
        "y = ConvTranspose(x, w) {strides = [2, 2], output_shape = [11, 12], "
        "auto_pad = \"" +
        padding + "\"}; output y");
  for (const std::string mode : {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"})
    for (const std::string way : {"nearest", "linear", "cubic"})
      expect_equal_upgrade(
          "opset 11; input x float[1, 2, 5, 6]; init e float[0] {}; "
          "init s int64[4] {1, 2, 9, 4}; y = Resize(x, e, e, s) {mode = \"" +
          way + "\", coordinate_transformation_mode = \"" + mode + "\"}; output y");
}

TEST(UpgradeOpset, LeavesRecurrentNetworksAlone) {
  expect_equal_upgrade(R"(opset 7; input x float[5, 2, 3]; init w float[1, 16, 3] random 1;
      init r float[1, 16, 4] random 2; init b float[1, 32] random 3;
      y, h, c = LSTM(x, w, r, b) {hidden_size = 4}; init gw float[1, 12, 3] random 4;
      init gr float[1, 12, 4] random 5; g, = GRU(x, gw, gr) {hidden_size = 4, linear_before_reset = 1};
      output y; output h; output c; output g)");
}

}  // namespace
}  // namespace ocs
