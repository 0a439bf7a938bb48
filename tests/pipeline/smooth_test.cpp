// Smoothing: outlier channels in front of MatMul cost less, and nothing else changes.
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/equalize_channels.h"
#include "ocs/pipeline/quantize.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"
#include "support/transformer.h"

namespace ocs {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::ThrowsMessage;

Recipe smoothing(bool on) {
  Recipe recipe;
  recipe.smooth = on;
  recipe.fallback = false;
  return recipe;
}

double sqnr_of(const Model& model, const Recipe& recipe) {
  const Samples samples = transformer_samples(32);
  return quantize(model.clone(), &samples, recipe, onnx_runtime(), {}).report.outputs.at(0).sqnr_db;
}

Prepared smoothed(const Model& model, const Recipe& recipe = smoothing(true)) {
  const Samples samples = transformer_samples(32);
  Prepared prepared = prepare(model.clone(), recipe, {});
  equalize_channels(prepared, &samples, recipe, onnx_runtime(), {});
  return prepared;
}

int count_of(const Model& model, std::string_view op) {
  return static_cast<int>(std::ranges::count(op_types(model), op));
}

TEST(Smoothing, LeavesTheFloatNetworkAsItWas) {
  for (const bool residual : {true, false}) {
    const Prepared prepared = smoothed(transformer_block(residual));
    for (std::uint64_t seed = 1; seed < 4; ++seed)
      expect_same_outputs(transformer_block(residual), prepared.model, 5 * float_rounding, seed);
  }
}

TEST(Smoothing, LeavesLessNoiseWhereChannelsDiffer) {
  for (const bool residual : {true, false}) {
    const Model model = transformer_block(residual);
    EXPECT_GT(sqnr_of(model, smoothing(true)), sqnr_of(model, smoothing(false)) + 6.0);
  }
  EXPECT_GT(sqnr_of(transformer_block(), Recipe{}), 30.0) << "the default";
}

// The residual Add reads the results of norm0 and norm1 as they were; those of Gelu and attention have channels alike.
TEST(Smoothing, PutsAMulWhereTheChannelsAreReadByOthers) {
  const Model before = transformer_block();
  const Prepared prepared = smoothed(before);
  EXPECT_NE(node_of(prepared.model, "query").input(0), "n");
  EXPECT_EQ(node_of(prepared.model, "query").input(0), node_of(prepared.model, "value").input(0));
  EXPECT_EQ(node_of(prepared.model, "add1").input(1), "n");
  EXPECT_EQ(node_of(prepared.model, "norm0").input(1), node_of(before, "norm0").input(1));
  EXPECT_THAT(prepared.notes, Contains(Field(&Note::text, HasSubstr("smoothed by a Mul"))));
  const int added = count_of(prepared.model, "Mul") - count_of(before, "Mul");
  EXPECT_GE(added, 2);
  EXPECT_EQ(added, std::ranges::count_if(prepared.notes, [](const Note& note) {
              return note.text.find("smoothed by a Mul") != std::string::npos;
            }));
}

TEST(Smoothing, GoesIntoTheNormalizationWhereNobodyElseReadsIt) {
  const Model before = transformer_block(false);
  const Prepared prepared = smoothed(before);
  EXPECT_EQ(node_of(prepared.model, "query").input(0), "n");
  const Tensor gain = initializer_of(prepared.model, node_of(prepared.model, "norm0").input(1));
  const auto values = gain.as<float>();
  // 30 times the others before.
  EXPECT_LT(std::fabs(values[3]), 15.0F * std::fabs(values[4]));
}

TEST(Smoothing, FindsTheSameWithDataAgain) {
  EXPECT_EQ(smoothed(transformer_block()).model.proto().SerializeAsString(),
            smoothed(transformer_block()).model.proto().SerializeAsString());
}

TEST(Smoothing, LeavesNetworksOfConvolutionsAlone) {
  const Model model = text_model(R"(
    input x float[1, 3, 8, 8];
    init w float[4, 3, 3, 3] random 1; init v float[4, 5] random 2;
    c: a = Conv(x, w); r: b = Relu(a); p: d = GlobalAveragePool(b); f: e = Flatten(d); g: y = Gemm(e, v);
    output y;
  )");
  const Samples samples = random_samples("x", {1, 3, 8, 8}, 4);
  const auto bytes = [&](bool on) {
    Recipe recipe = smoothing(on);
    recipe.name = "same";
    Model out = quantize(model.clone(), &samples, recipe, onnx_runtime(), {}).model;
    out.set_metadata("ocs.recipe", "");
    return out.proto().SerializeAsString();
  };
  EXPECT_EQ(bytes(true), bytes(false));
}

// Statistics hold for channels as they were.
TEST(Smoothing, NeitherSavesNorTakesStatistics) {
  const Samples samples = transformer_samples(4);
  EXPECT_THAT(
      [&] {
        (void)quantize(transformer_block(), &samples, smoothing(true), onnx_runtime(),
                       {.keep_stats = true});
      },
      ThrowsMessage<Error>(HasSubstr("smooth: statistics are neither saved")));
  const CalibrationStats stats = quantize(transformer_block(), &samples, smoothing(false),
                                          onnx_runtime(), {.keep_stats = true})
                                     .stats;
  EXPECT_THAT(
      [&] {
        (void)quantize(transformer_block(), nullptr, smoothing(true), onnx_runtime(),
                       {.saved_stats = &stats});
      },
      ThrowsMessage<Error>(HasSubstr("or --no-smooth")));
  // With samples at hand they are collected anew.
  EXPECT_EQ(quantize(transformer_block(), &samples, smoothing(true), onnx_runtime(),
                     {.saved_stats = &stats})
                .model.proto()
                .SerializeAsString(),
            quantize(transformer_block(), &samples, smoothing(true), onnx_runtime(), {})
                .model.proto()
                .SerializeAsString());
}

}  // namespace
}  // namespace ocs
