#include "ocs/calibrate/sums.h"

#include <vector>

#include <gtest/gtest.h>

#include "calibrate/values.h"

namespace ocs {
namespace {

struct Result {
  std::vector<double> sums{};
  std::vector<double> squares{};
  std::vector<float> max_abs{};
  bool operator==(const Result&) const = default;
};

using Function = void (*)(std::span<const float>, const sums::Extents&, const sums::ChannelSums&);

Result result_of(Function function, std::span<const float> item, const sums::Extents& extents) {
  Result result{.sums = std::vector<double>(extents.channels, -1.0),
                .squares = std::vector<double>(extents.channels, -1.0),
                .max_abs = std::vector<float>(extents.channels, -1.0F)};
  function(item, extents,
           {.sums = result.sums, .squares = result.squares, .max_abs = result.max_abs});
  return result;
}

std::vector<float> item_of(const sums::Extents& extents, std::uint64_t seed) {
  // Magnitudes far apart, so that another order of additions shows in the last bits.
  std::vector<float> values =
      values::activations(seed, extents.outer * extents.channels * extents.inner, false);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = std::ldexp(values[i], static_cast<int>(i * 7 % 61) - 30);
  return values;
}

TEST(ChannelSums, AreTheSameOnEveryInstructionSet) {
  values::for_each_target([](const std::string& target) {
    for (const std::size_t inner : {1UL, 2UL, 7UL, 8UL, 9UL, 49UL, 196UL})
      for (const std::size_t channels : {1UL, 3UL, 15UL, 16UL, 17UL, 33UL, 64UL})
        for (const std::size_t outer : {1UL, 2UL, 5UL}) {
          const sums::Extents extents{.outer = outer, .channels = channels, .inner = inner};
          const std::vector<float> item = item_of(extents, inner + channels);
          EXPECT_EQ(result_of(sums::channel_sums, item, extents),
                    result_of(sums::channel_sums_scalar, item, extents))
              << target << ' ' << outer << ' ' << channels << ' ' << inner;
        }
  });
}

TEST(ChannelSums, TakeSumsSquaresAndLargestMagnitudes) {
  // [2, 2, 2]: channel 0 holds 1 2 5 6, channel 1 holds 3 -4 7 -8.
  const std::vector<float> item{1, 2, 3, -4, 5, 6, 7, -8};
  const Result expected{.sums = {14, -2}, .squares = {66, 138}, .max_abs = {6, 8}};
  EXPECT_EQ(result_of(sums::channel_sums, item, {.outer = 2, .channels = 2, .inner = 2}), expected);
}

}  // namespace
}  // namespace ocs
