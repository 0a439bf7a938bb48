#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/parallel.h"
#include "ocs/core/random.h"
#include "ocs/quant/affine.h"
#include "ocs/round/round.h"

namespace ocs {
namespace {

using testing::ElementsAre;

std::vector<std::int16_t> nearest(const RoundProblem& problem) {
  return round_weights(NearestRounding{}, problem).stored;
}

// Every weight on its own, through the plain functions of the lower layers.
std::vector<std::int16_t> one_by_one(const RoundProblem& problem) {
  std::vector<std::int16_t> stored(problem.weight.data.size(), 0);
  for_each_weight(problem.weight, [&](std::int64_t row, std::int64_t column, std::size_t index) {
    const std::size_t scale = problem.scales.size() == 1 ? 0 : static_cast<std::size_t>(row);
    const int copies =
        problem.copies.empty() ? 1 : problem.copies[static_cast<std::size_t>(column)];
    stored[index] = static_cast<std::int16_t>(rounded_sum(problem.weight.data[index],
                                                          problem.scales[scale], problem.highest,
                                                          copies, problem.kind, problem.parts));
  });
  return stored;
}

TEST(NearestRounding, WidensTheRangeOfASplitChannel) {
  const std::vector<float> data{10, 10, -10, -10};  // [outputs, inputs]
  const std::vector<float> scales{1};
  const std::vector<int> copies{1, 2};
  const ChannelMatrix weight{
      .data = data, .outputs = 2, .inputs = 2, .output_stride = 2, .input_stride = 1};
  EXPECT_THAT(nearest({.weight = weight, .scales = scales, .copies = copies, .highest = 7}),
              ElementsAre(7, 10, -7, -10));
}

TEST(NearestRounding, UsesTheScaleOfTheRowInATransposedLayout) {
  const std::vector<float> data{1, 1, 3, 3, 5, 5};  // MatMul: [inputs, outputs] = [3, 2]
  const std::vector<float> scales{1, 2};
  const ChannelMatrix weight{
      .data = data, .outputs = 2, .inputs = 3, .output_stride = 1, .input_stride = 2};
  EXPECT_THAT(nearest({.weight = weight, .scales = scales}), ElementsAre(1, 0, 3, 2, 5, 2));
}

TEST(NearestRounding, UsesTheScaleOfTheBlock) {
  const std::vector<float> data{1, 1, 1, 2, 2, 2};  // [outputs, inputs]
  const std::vector<float> scales{1, 0.5F, 2, 1};   // blocks of two inputs, the second of one
  EXPECT_THAT(nearest({.weight = dense_view(data, 1, 2, 3, 1), .scales = scales, .block = 2}),
              ElementsAre(1, 1, 2, 1, 1, 2));
}

TEST(NearestRounding, LeavesWhatTheViewDoesNotReachAtZero) {
  const std::vector<float> data{1, 9, 2, 9};
  const std::vector<float> scales{1};
  const ChannelMatrix weight{
      .data = data, .outputs = 2, .inputs = 1, .output_stride = 2, .input_stride = 1};
  EXPECT_THAT(nearest({.weight = weight, .scales = scales}), ElementsAre(1, 0, 2, 0));
}

TEST(NearestRounding, StopsAtTheLargestStoredInteger) {
  const std::vector<float> data{1e30F, -1e30F};
  const std::vector<float> scales{1e-30F};  // the quotient is infinite
  const std::vector<int> copies{300};
  const ChannelMatrix weight{
      .data = data, .outputs = 2, .inputs = 1, .output_stride = 1, .input_stride = 1};
  for (const SplitKind kind : {SplitKind::quantization_aware, SplitKind::naive}) {
    EXPECT_THAT(nearest({.weight = weight, .scales = scales, .copies = copies, .kind = kind}),
                ElementsAre(32767, -32767));
  }
}

TEST(NearestRounding, AgreesWithOneByOneInEveryLayoutAndKind) {
  Random random(31);
  constexpr std::int64_t groups = 2, outputs = 37, inputs = 5, taps = 3;
  std::vector<float> data = random.normals(groups * outputs * inputs * taps, 40.0F);
  for (std::size_t i = 0; i < data.size(); i += 3) data[i] = std::round(data[i]) + 0.5F;  // ties
  const ChannelMatrix conv = dense_view(data, groups, outputs, inputs, taps);
  ChannelMatrix transposed = conv;  // ConvTranspose: [groups * inputs, outputs, taps]
  transposed.output_stride = taps;
  transposed.input_stride = outputs * taps;
  ChannelMatrix taps_outside = conv;  // [taps, inputs, outputs]
  taps_outside.output_stride = 1;
  taps_outside.input_stride = outputs;
  taps_outside.tap_stride = inputs * outputs;

  std::vector<float> row_scales;
  for (std::int64_t row = 0; row < conv.rows(); ++row) {
    row_scales.push_back(static_cast<float>(0.5 + random.uniform()));
  }
  const std::vector<float> one_scale{1.0F};
  const std::vector<int> copies{1, 2, 3, 1, 5, 1, 1, 4, 1, 2};
  for (const ChannelMatrix& weight : {conv, transposed, taps_outside}) {
    for (const std::vector<float>& scales : {one_scale, row_scales}) {
      for (const SplitKind kind : {SplitKind::quantization_aware, SplitKind::naive}) {
        for (const SplitParts parts : {SplitParts::equal, SplitParts::halving}) {
          const RoundProblem problem{.weight = weight,
                                     .scales = scales,
                                     .copies = copies,
                                     .highest = 15,
                                     .kind = kind,
                                     .parts = parts};
          EXPECT_EQ(nearest(problem), one_by_one(problem));
        }
      }
      const RoundProblem unsplit{.weight = weight, .scales = scales};
      EXPECT_EQ(nearest(unsplit), one_by_one(unsplit));
    }
  }
}

TEST(NearestRounding, IsTheSameForAnyNumberOfThreads) {
  Random random(32);
  const std::vector<float> data = random.normals(300 * 70, 0.1F);
  const std::vector<float> scales{0.001F};
  const RoundProblem problem{.weight = {.data = data,
                                        .outputs = 300,
                                        .inputs = 70,
                                        .output_stride = 70,
                                        .input_stride = 1},
                             .scales = scales};
  const std::vector<std::int16_t> all_threads = nearest(problem);
  const ThreadLimit one_thread(1);
  EXPECT_EQ(nearest(problem), all_threads);
}

}  // namespace
}  // namespace ocs
