#include "ocs/pipeline/equalize_channels.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Samples samples_of(std::size_t count) { return random_samples("x", {1, 3, 8, 8}, count); }

// Pointwise, depthwise, pointwise; the rows of the first two differ by up to a thousand times.
Model uneven_network(const std::string& activation) {
  return text_model(R"(
    input x float[N, 3, 8, 8];
    init v float[8, 3, 1, 1] random 1 * 0.4;
    init d float[8, 1, 3, 3] random 2 * 0.3;
    init w float[6, 8, 1, 1] random 3 * 0.5;
    init g float[8] {0.01, 0.1, 1, 10, 0.05, 0.5, 5, 2};
    init h float[8] {10, 1, 0.1, 0.01, 3, 1, 0.5, 0.1};
    init zero float[8] zeros;
    init one float[8] ones;
    init low float[] {0};
    init high float[] {6};
    c1: a1 = Conv(x, v);
    b1: a2 = BatchNormalization(a1, g, zero, zero, one);
    r1: a3 = )" + activation +
                    R"((a2, low, high);
    c2: a4 = Conv(a3, d) {group = 8, pads = [1, 1, 1, 1]};
    b2: a5 = BatchNormalization(a4, h, zero, zero, one);
    r2: a6 = )" + activation +
                    R"((a5, low, high);
    c3: y = Conv(a6, w);
    output y float[N, 6, 8, 8];
  )");
}

Model with_relu() {
  Model model = uneven_network("Relu");
  for (onnx::NodeProto& node : *model.graph().mutable_node())
    if (node.op_type() == "Relu") node.mutable_input()->DeleteSubrange(1, 2);
  return model;
}

Recipe per_tensor(bool equalization) {
  Recipe recipe;
  recipe.weight_granularity = Granularity::tensor;
  recipe.fallback = false;
  recipe.equalize = equalization;
  return recipe;
}

double sqnr_of(const Model& model, const Recipe& recipe) {
  const Samples samples = samples_of(32);
  return quantize(model.clone(), &samples, recipe, onnx_runtime(), {}).report.outputs.at(0).sqnr_db;
}

TEST(EqualizeChannels, LeavesLessNoiseWhereChannelsDiffer) {
  EXPECT_GT(sqnr_of(with_relu(), per_tensor(true)), sqnr_of(with_relu(), per_tensor(false)) + 6.0);
  EXPECT_GT(sqnr_of(uneven_network("Clip"), per_tensor(true)),
            sqnr_of(uneven_network("Clip"), per_tensor(false)) + 3.0);
}

TEST(EqualizeChannels, KeepsChannelsThatReachTheBoundOfAClip) {
  const Samples samples = samples_of(32);
  Prepared prepared = prepare(uneven_network("Clip"), per_tensor(true), {});
  const Model before = prepared.model.clone();
  equalize_channels(prepared, &samples, per_tensor(true), onnx_runtime(), {});
  for (std::size_t i = 0; i < samples.count; ++i)
    expect_same_outputs(before, prepared.model, float_rounding, samples.load(i).inputs);
  const Tensor old_weight = initializer_of(before, node_of(before, "c1").input(1));
  const Tensor new_weight = initializer_of(prepared.model, node_of(prepared.model, "c1").input(1));
  const auto row_changes = [&](std::size_t row) {
    return old_weight.as<float>()[row * 3] != new_weight.as<float>()[row * 3];
  };
  EXPECT_FALSE(row_changes(3));  // gamma 10: cut at 6
  EXPECT_TRUE(row_changes(0));   // gamma 0.01
  EXPECT_THAT(prepared.notes,
              testing::Contains(testing::Field(
                  &Note::text, HasSubstr("channels keep their scale: they reach the bound 6"))));
}

TEST(EqualizeChannels, NeedsNoDataForWeightsAlone) {
  Recipe recipe = per_tensor(true);
  recipe.act_bits.reset();
  Prepared prepared = prepare(with_relu(), recipe, {});
  const Model before = prepared.model.clone();
  equalize_channels(prepared, nullptr, recipe, onnx_runtime(), {});
  expect_same_outputs(before, prepared.model, float_rounding);
  EXPECT_NE(initializer_names(before), initializer_names(prepared.model));
  // Nobody knows which channels reach the bound.
  Prepared clipped = prepare(uneven_network("Clip"), recipe, {});
  const Model untouched = clipped.model.clone();
  equalize_channels(clipped, nullptr, recipe, onnx_runtime(), {});
  expect_same_outputs(untouched, clipped.model, 0.0);
  EXPECT_THAT(clipped.notes, testing::Contains(testing::Field(
                                 &Note::text, HasSubstr("without data nobody knows"))));
}

// Also where the recipe as a whole leaves them in float.
TEST(EqualizeChannels, CountsTheLevelsThatLayersAskFor) {
  const auto scaled = [](const Recipe& recipe) {
    const Samples samples = samples_of(8);
    Prepared prepared = prepare(with_relu(), recipe, {});
    equalize_channels(prepared, &samples, recipe, onnx_runtime(), {});
    return prepared.model.proto().SerializeAsString();
  };
  Recipe whole = per_tensor(true);
  whole.act_bits = 4;
  Recipe by_layer = per_tensor(true);
  by_layer.act_bits.reset();
  by_layer.overrides = {{.pattern = "c*", .key = "act_bits", .value = "4"}};
  EXPECT_EQ(scaled(whole), scaled(by_layer));
  EXPECT_NE(scaled(whole), scaled(per_tensor(true)));
}

// Those of the network as it was read do not hold for the scaled one.
TEST(EqualizeChannels, CalibratesTheScaledNetworkWhateverStatisticsAreAtHand) {
  const Samples samples = samples_of(8);
  const CalibrationStats empty;
  const auto bytes = [&](const RunOptions& options) {
    return quantize(with_relu(), &samples, per_tensor(true), onnx_runtime(), options)
        .model.proto()
        .SerializeAsString();
  };
  EXPECT_EQ(bytes({.saved_stats = &empty}), bytes({}));
}

TEST(EqualizeChannels, RefusesWhatItCannotGoWith) {
  Recipe recipe = per_tensor(true);
  const Samples samples = samples_of(4);
  const CalibrationStats saved;
  EXPECT_THAT(
      [&] {
        (void)quantize(with_relu(), nullptr, recipe, onnx_runtime(), {.saved_stats = &saved});
      },
      ThrowsMessage<Error>(HasSubstr("equalize: statistics")));
  EXPECT_THAT(
      [&] { (void)quantize(with_relu(), &samples, recipe, onnx_runtime(), {.keep_stats = true}); },
      ThrowsMessage<Error>(HasSubstr("equalize: statistics")));
  recipe.fold_batchnorm = false;
  EXPECT_THAT([&] { check(recipe); }, ThrowsMessage<Error>(HasSubstr("equalize: ")));
}

}  // namespace
}  // namespace ocs
