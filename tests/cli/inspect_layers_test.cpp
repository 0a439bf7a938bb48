#include "cli/inspect_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/text_model.h"

namespace ocs::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// One Conv with a clear outlier in channel 1, one depthwise Conv, one recurrent layer, one Gemm.
Model some_model() {
  return text_model(R"(
      input x float[N,2,4,4];
      init w float[2,2,1,1] {1, -4, 0.5, 1}; init d float[2,1,1,1] {1, 2}; init f float[32,3] random 1;
      init lw float[1,8,3] random 2; init lr float[1,8,2] random 3; init shape int64[3] {1, -1, 3};
      conv: a = Conv(x, w); depthwise: b = Conv(a, d) {group = 2}; flat: c = Flatten(b); fc: e = MatMul(c, f);
      seq: s = Reshape(e, shape); lstm: y = LSTM(s, lw, lr) {hidden_size = 2}; output y float)");
}

TEST(InspectLayers, DescribesEachLayer) {
  const Inspection inspection = inspect_layers(some_model(), onnx_runtime(), {.expand_ratio = 0.5});
  ASSERT_THAT(inspection.layers, SizeIs(5));
  const InspectedLayer& conv = inspection.layers[0];
  EXPECT_EQ(conv.name, "conv");
  EXPECT_EQ(conv.op, "Conv");
  EXPECT_EQ(conv.weight, "w");
  EXPECT_THAT(conv.shape, ElementsAre(2, 2, 1, 1));
  EXPECT_EQ(conv.max_abs, 4.0F);
  EXPECT_EQ(conv.macs, 4 * 16);  // four weights at each of 16 places
  ASSERT_THAT(conv.thresholds, SizeIs(5));
  EXPECT_EQ(conv.thresholds[0].clip, "max");
  EXPECT_EQ(conv.thresholds[0].threshold, 4.0F);
  EXPECT_THAT(conv.split.channels, ElementsAre(1));  // ceil(0.5 * 2) splits
  EXPECT_EQ(conv.split.max_abs_after, 2.0F);
  EXPECT_EQ(inspection.layers[2].macs, 96);
  EXPECT_EQ(inspection.why_no_macs, "");
}

TEST(InspectLayers, SaysWhyAGroupedLayerIsNotSplit) {
  const Inspection inspection = inspect_layers(some_model(), onnx_runtime(), {});
  EXPECT_THAT(inspection.layers[1].split.channels, IsEmpty());
  EXPECT_EQ(inspection.layers[1].split.max_abs_after, 2.0F);
  EXPECT_THAT(inspection.layers[1].split.reason, HasSubstr("grouped"));
}

TEST(InspectLayers, ShowsBothWeightsOfARecurrentNode) {
  const Inspection inspection = inspect_layers(some_model(), onnx_runtime(), {});
  EXPECT_THAT(inspection.skipped, IsEmpty());
  EXPECT_EQ(inspection.layers[3].name, "lstm.W");
  EXPECT_EQ(inspection.layers[3].weight, "lw");
  EXPECT_EQ(inspection.layers[3].macs, 8 * 3);  // one step of one sequence
  EXPECT_EQ(inspection.layers[4].name, "lstm.R");
  EXPECT_EQ(inspection.layers[4].macs, 8 * 2);
}

// The first layer of a network without recurrent nodes stays float under recipe `paper`; grouped ones
// are not split.
TEST(InspectLayers, TellsWhatCopiesCost) {
  const Model model = text_model(R"(
      input x float[1,3,4,4]; init a float[8,3,1,1] random 1; init d float[8,1,1,1] random 2; init b float[5,8,3,3] random 3;
      first: p = Conv(x, a); depthwise: q = Conv(p, d) {group = 8}; last: y = Conv(q, b); output y float)");
  const Inspection inspection = inspect_layers(model, onnx_runtime(), {.expand_ratio = 0.25});
  ASSERT_THAT(inspection.relative, SizeIs(5));
  EXPECT_EQ(inspection.relative[0].expand_ratio, 0.01);
  // One more of eight channels in `last`; `depthwise` stays as it is.
  const RelativeCost& least = inspection.relative[0].cost;
  EXPECT_DOUBLE_EQ(least.weights.value_or(0.0), (8.0 + 5 * 9 * 9) / (8 + 5 * 8 * 9));
  EXPECT_DOUBLE_EQ(least.activations.value_or(0.0), (16.0 * 8 + 16 * 9) / (16 * 8 + 16 * 8));
  EXPECT_DOUBLE_EQ(least.macs.value_or(0.0), (16.0 * 8 + 4 * 5 * 9 * 9) / (16 * 8 + 4 * 5 * 8 * 9));
  EXPECT_EQ(inspection.relative[4].expand_ratio, 0.25);
  EXPECT_DOUBLE_EQ(inspection.relative[4].cost.activations.value_or(0.0), 1.125);
}

// Two copies of hidden units are rows of both weights.
TEST(InspectLayers, CountsCopiedHiddenUnitsInBothWeights) {
  const Model model = text_model(R"(
      input x float[7,1,3]; init w float[1,16,3] random 2; init r float[1,16,4] random 3;
      lstm: y = LSTM(x, w, r) {hidden_size = 4}; output y float)");
  const Inspection inspection = inspect_layers(model, onnx_runtime(), {.expand_ratio = 0.5});
  const RelativeCost& half = inspection.relative.back().cost;
  EXPECT_DOUBLE_EQ(half.weights.value_or(0.0), (24.0 * 5 + 24 * 6) / (16 * 3 + 16 * 4));
  EXPECT_DOUBLE_EQ(half.activations.value_or(0.0), (7.0 * 5 + 7 * 6) / (7 * 3 + 7 * 4));
}

TEST(InspectLayers, DescribesLayersInsideBodiesWithoutMacs) {
  const Model model = text_model(R"(
      input x float[1,2]; input cond bool[]; init w float[2,2] ones;
      branch: y = If(cond) {then_branch = graph { inner: t = MatMul(x, w); output t; }, else_branch = graph { other: e = Neg(x); output e; }};
      output y float)");
  const Inspection inspection = inspect_layers(model, onnx_runtime(), {});
  EXPECT_THAT(inspection.skipped, IsEmpty());
  ASSERT_THAT(inspection.layers, SizeIs(1));
  EXPECT_EQ(inspection.layers[0].name, "inner");
  EXPECT_EQ(inspection.layers[0].max_abs, 1.0F);
  EXPECT_EQ(inspection.layers[0].macs, std::nullopt);  // the engine shows no value of a body
  EXPECT_EQ(inspection.why_no_macs, "");
}

TEST(InspectLayers, GoesWithoutMacsWhereTheModelCannotRun) {
  const Engine refusing = [](const Model&, const EngineOptions&) -> RunModel {
    throw_engine("no such operator");
  };
  const Inspection inspection = inspect_layers(some_model(), refusing, {});
  EXPECT_EQ(inspection.why_no_macs, "no such operator");
  EXPECT_EQ(inspection.layers[0].macs, std::nullopt);
  EXPECT_EQ(inspection.layers[0].max_abs, 4.0F);
}

TEST(InspectLayers, GivesTheSameForAnyNumberOfThreads) {
  const auto channels_and_thresholds = [](std::size_t threads) {
    const ThreadLimit limit(threads);
    std::vector<float> all;
    for (const InspectedLayer& layer :
         inspect_layers(some_model(), onnx_runtime(), {.bits = 4}).layers) {
      for (const NamedThreshold& each : layer.thresholds) all.push_back(each.threshold);
      all.insert(all.end(), layer.split.channels.begin(), layer.split.channels.end());
    }
    return all;
  };
  EXPECT_EQ(channels_and_thresholds(1), channels_and_thresholds(4));
}

}  // namespace
}  // namespace ocs::cli
