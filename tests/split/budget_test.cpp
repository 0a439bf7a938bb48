#include "ocs/split/budget.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"

namespace ocs {
namespace {

using testing::ElementsAre;

struct Layer {
  std::vector<float> data{};
  std::vector<double> importance{};
  CopyError state{};

  explicit Layer(std::uint64_t seed)
      : data(Random(seed).normals(4 * 6 * 2)), importance{1.0, 2.0, 0.5, 1.0, 0.0, 3.0} {
    for (std::size_t i = 0; i < data.size(); i += 7) data[i] *= 4.0F;
    state = {.weight = {.data = data,
                        .outputs = 4,
                        .inputs = 6,
                        .taps = 2,
                        .output_stride = 12,
                        .input_stride = 2},
             .importance = importance,
             .copies = std::vector<int>(6, 1),
             .scales = {0.2F, 0.3F, 0.25F, 0.2F},
             .highest = 7};
  }
};

TEST(OutputError, WeighsTheErrorOfEachChannel) {
  const std::vector<float> data{1.0F, 0.26F, -0.9F, 0.1F};  // [2, 2]
  const std::vector<double> importance{2.0, 1.0};
  CopyError state{
      .weight = {.data = data, .outputs = 2, .inputs = 2, .output_stride = 2, .input_stride = 1},
      .importance = importance,
      .copies = {1, 1},
      .scales = {0.25F},
      .highest = 3};
  // 1 is cut to .75, -.9 to -.75; .26 becomes .25 and .1 nothing.
  EXPECT_NEAR(output_error(state), 2.0 * (0.0625 + 0.0225) + 0.0001 + 0.01, 1e-6);
  state.copies = {2, 1};
  EXPECT_NEAR(output_error(state), 2.0 * (0.0 + 0.01) + 0.0001 + 0.01, 1e-6);
}

TEST(AddCopies, TakesTheBestOneEachTime) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    Layer layer(seed);
    CopyError expected = layer.state;
    for (int i = 0; i < 3; ++i) {
      std::size_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t c = 0; c < 6; ++c) {
        ++expected.copies[c];
        if (const double error = output_error(expected); error < least - 1e-12) {
          least = error;
          best = c;
        }
        --expected.copies[c];
      }
      ++expected.copies[best];
    }
    add_copies(layer.state, 3);
    EXPECT_EQ(layer.state.copies, expected.copies);
  }
}

// Two layers with errors over cost; every pair of offers tried.
TEST(Spend, FindsTheBestWhereOffersGainLessAndLess) {
  std::vector<std::vector<CopyOffer>> layers(2);
  for (int i = 0; i < 6; ++i) {
    layers[0].push_back({.error = 1.0 / (1.0 + i), .cost = 2.0 * i});
    layers[1].push_back({.error = 0.5 * std::exp(-i), .cost = 2.0 * i});
  }
  for (const double budget : {0.0, 2.0, 4.0, 7.0, 10.0, 100.0}) {
    double least = 2.0;
    for (const CopyOffer& a : layers[0])
      for (const CopyOffer& b : layers[1])
        if (a.cost + b.cost <= budget) least = std::min(least, a.error + b.error);
    const std::vector<std::size_t> chosen = spend(layers, budget);
    EXPECT_NEAR(layers[0][chosen[0]].error + layers[1][chosen[1]].error, least, 1e-12) << budget;
  }
}

TEST(Spend, JumpsOverAnOfferThatBringsLittleByItself) {
  const std::vector<std::vector<CopyOffer>> layers{
      {{.error = 1.0, .cost = 0.0}, {.error = 0.99, .cost = 1.0}, {.error = 0.1, .cost = 2.0}},
      {{.error = 1.0, .cost = 0.0}, {.error = 0.7, .cost = 1.0}}};
  EXPECT_THAT(spend(layers, 2.0), ElementsAre(2, 0));
  EXPECT_THAT(spend(layers, 3.0), ElementsAre(2, 1));
  EXPECT_THAT(spend(layers, 1.0), ElementsAre(0, 1));
}

TEST(Spend, LeavesAloneWhatGainsNothing) {
  EXPECT_THAT(spend({{}, {{.error = 1.0, .cost = 0.0}, {.error = 1.0, .cost = 1.0}}}, 10.0),
              ElementsAre(0, 0));
}

}  // namespace
}  // namespace ocs
