#include "ocs/calibrate/channel_magnitudes.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

// [outer, 2, inner] values of two channels, spread over some octaves.
std::vector<float> values_of(int seed, std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = std::sin(static_cast<double>(seed * 100 + i) * 1.7);
    values.push_back(static_cast<float>(std::ldexp(x, static_cast<int>(i % 5) * seed)));
  }
  values[0] = 0.0F;
  return values;
}

// Every value lies within a sixteenth of an octave of the middle of its bin, in the row of its
// channel.
TEST(ChannelMagnitudes, CountEachValueInItsChannelNearItsMagnitude) {
  const std::vector<float> values = values_of(1, 2 * 2 * 3);
  for (std::size_t at = 0; at < values.size(); ++at) {
    std::vector<float> alone(values.size(), 0.0F);
    alone[at] = values[at];
    ChannelMagnitudes magnitudes;
    magnitudes.add(alone, 2, 2, 3);
    EXPECT_EQ(magnitudes.total(), 12);
    std::int64_t seen = 0;
    for (std::int64_t c = 0; c < 2; ++c) {
      for (int bin = 0; bin < ChannelMagnitudes::bins; ++bin) {
        const std::int64_t count =
            magnitudes.counts()[static_cast<std::size_t>(c * ChannelMagnitudes::bins + bin)];
        if (count == 0) continue;
        seen += count;
        EXPECT_EQ(c, static_cast<std::int64_t>(at) / 3 % 2);
        const float centre = magnitudes.centres()[static_cast<std::size_t>(bin)];
        EXPECT_NEAR(std::fabs(values[at]) / centre, 1.0, 1.0 / 32.0);
      }
    }
    EXPECT_EQ(seen, values[at] == 0.0F ? 0 : 1);
  }
}

TEST(ChannelMagnitudes, DoNotDependOnOrderOrParts) {
  const std::vector<float> small = values_of(1, 12);
  const std::vector<float> large = values_of(4, 12);  // raises the window
  ChannelMagnitudes whole;
  whole.add(small, 2, 2, 3);
  whole.add(large, 2, 2, 3);
  ChannelMagnitudes reversed;
  reversed.add(large, 2, 2, 3);
  reversed.add(small, 2, 2, 3);
  EXPECT_EQ(whole, reversed);
  ChannelMagnitudes first;
  first.add(small, 2, 2, 3);
  ChannelMagnitudes second;
  second.add(large, 2, 2, 3);
  ChannelMagnitudes merged = first;
  merged.merge(second);
  merged.merge(ChannelMagnitudes());
  EXPECT_EQ(whole, merged);
  second.merge(first);
  EXPECT_EQ(whole, second);
}

TEST(ChannelMagnitudes, DropWhatIsTooSmallBesideTheLargest) {
  ChannelMagnitudes magnitudes;
  magnitudes.add(std::vector<float>{1.0F, 1e-6F}, 1, 2, 1);
  std::int64_t seen = 0;
  for (const std::int64_t count : magnitudes.counts()) seen += count;
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(magnitudes.total(), 2);
}

TEST(ChannelMagnitudes, RefuseAnotherNumberOfChannels) {
  ChannelMagnitudes magnitudes;
  magnitudes.add(std::vector<float>{1, 2}, 1, 2, 1);
  EXPECT_THROW(magnitudes.add(std::vector<float>{1, 2, 3}, 1, 3, 1), Error);
}

}  // namespace
}  // namespace ocs
