#include "ocs/split/activation_channels.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

using testing::Each;
using testing::ElementsAre;

// Channels of ReLU kind with scales that differ, in fine bins.
struct Channels {
  static constexpr int bins = 400;
  std::vector<float> magnitudes{};
  std::vector<std::int64_t> counts{};
  std::int64_t total = 0;
  std::vector<double> energy{};

  explicit Channels(const std::vector<double>& scales) {
    for (int bin = 0; bin < bins; ++bin)
      magnitudes.push_back(0.005F + 0.01F * static_cast<float>(bin));
    for (std::size_t c = 0; c < scales.size(); ++c) {
      energy.push_back(1.0 + static_cast<double>(c % 3));
      for (const float x : magnitudes) {
        const auto count = static_cast<std::int64_t>(
            std::floor(1000.0 * std::exp(-static_cast<double>(x) / scales[c])));
        counts.push_back(count);
        total += count + 100;  // and zeros
      }
    }
  }
  [[nodiscard]] MagnitudeTable table() const {
    return {.magnitudes = magnitudes, .counts = counts, .total = total};
  }
};

// Q of every value by itself: the parts of x on their grids.
double slow_error(const Channels& channels, const std::vector<int>& copies, double threshold,
                  int levels) {
  const double step = threshold / levels;
  double error = 0.0;
  for (std::size_t c = 0; c < copies.size(); ++c) {
    for (std::size_t bin = 0; bin < Channels::bins; ++bin) {
      const auto x = static_cast<double>(channels.magnitudes[bin]);
      double sum = 0.0;
      for (int part = 0; part < copies[c]; ++part)
        sum += step * std::clamp(std::nearbyint((x - part * threshold) / step), 0.0,
                                 static_cast<double>(levels));
      error += channels.energy[c] * (x - sum) * (x - sum) *
               static_cast<double>(channels.counts[c * Channels::bins + bin]);
    }
  }
  return error;
}

TEST(SelectSaturating, PredictsTheErrorOfTheParts) {
  const Channels channels({0.2, 0.3, 0.9, 0.1, 0.5});
  const std::vector<int> copies{1, 1, 3, 1, 2};
  for (const int levels : {7, 15, 63})
    for (const double threshold : {0.5, 1.0, 2.0})
      EXPECT_NEAR(saturating_error(channels.table(), channels.energy, copies, threshold, levels) /
                      slow_error(channels, copies, threshold, levels),
                  1.0, 0.06);
}

// Every threshold on a fine grid, every way to place two copies.
TEST(SelectSaturating, FindsTheBestThresholdAndChannelsOfAll) {
  const Channels channels({0.2, 0.3, 0.9, 0.1, 0.5});
  for (const int levels : {7, 15, 63}) {
    const SaturatingSplit found = select_saturating(channels.table(), channels.energy, 2, levels);
    double least = HUGE_VAL;
    for (std::size_t first = 0; first < 5; ++first) {
      for (std::size_t second = first; second < 5; ++second) {
        std::vector<int> copies(5, 1);
        ++copies[first];
        ++copies[second];
        for (double threshold = 0.1; threshold < 4.0; threshold *= 1.003)
          least = std::min(least, saturating_error(channels.table(), channels.energy, copies,
                                                   threshold, levels));
      }
    }
    EXPECT_LE(
        saturating_error(channels.table(), channels.energy, found.copies, found.threshold, levels),
        least * 1.002);
    int copies = 0;
    for (const int count : found.copies) copies += count;
    EXPECT_EQ(copies, 7);
  }
}

TEST(SelectSaturating, WithoutSplitsChoosesTheThresholdAlone) {
  const Channels channels({0.2, 0.3});
  const SaturatingSplit found = select_saturating(channels.table(), channels.energy, 0, 15);
  EXPECT_THAT(found.copies, Each(1));
  EXPECT_GT(found.threshold, 0.3);
  EXPECT_LT(found.threshold, 3.0);
}

TEST(SelectSaturating, TakesATensorOfZeros) {
  const std::vector<float> magnitudes{1.0F, 2.0F};
  const std::vector<std::int64_t> counts{0, 0, 0, 0};
  const SaturatingSplit found = select_saturating(
      {.magnitudes = magnitudes, .counts = counts, .total = 9}, std::vector<double>{1, 1}, 1, 15);
  EXPECT_EQ(found.threshold, 0.0);
}

// 200 values: the two largest lie above the 99th percentile, one in channel 2 and one in channel 0.
TEST(SelectFrequent, TakesTheChannelsWithTheMostValuesAboveThePercentile) {
  const std::vector<float> magnitudes{1.0F, 2.0F, 3.0F};
  const std::vector<std::int64_t> counts{50, 1, 0,  //
                                         60, 0, 0,  //
                                         10, 0, 1};
  const MagnitudeTable table{.magnitudes = magnitudes, .counts = counts, .total = 200};
  EXPECT_THAT(select_frequent(table, 0), ElementsAre(1, 1, 1));
  EXPECT_THAT(select_frequent(table, 1), ElementsAre(2, 1, 1));  // a tie: the lower channel
  EXPECT_THAT(select_frequent(table, 2), ElementsAre(2, 1, 2));
  EXPECT_THAT(select_frequent(table, 9), ElementsAre(2, 2, 2));
}

}  // namespace
}  // namespace ocs
