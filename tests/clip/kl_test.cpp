#include <gtest/gtest.h>

#include "ocs/clip/clip.h"
#include "support/distributions.h"
#include "support/slow_clip.h"

namespace ocs {
namespace {

// Half a bin of the 1001: two widths may be level in divergence to the last digits.
double half_a_bin(const ClipInput& input) { return static_cast<double>(input.max_abs()) / 1001.0; }

TEST(KlClip, IsTheDefinition) {
  for (const int bits : {2, 3, 4, 6, 8}) {
    for (const Distribution distribution : all_distributions) {
      for (const std::size_t size : {20U, 3000U}) {
        const std::vector<float> values = sample(distribution, size, size + 1);
        const ClipInput input = clip_input(values, {.bits = bits});
        EXPECT_NEAR(threshold(KlClip{}, input), slow_kl_threshold(input), half_a_bin(input))
            << bits << " bits, " << size << ' ' << name_of(distribution);
      }
    }
  }
}

TEST(KlClip, OnTheUnsignedGridHasTheWiderGroups) {
  for (const int bits : {4, 6, 8}) {
    const std::vector<float> values = rectified(sample(Distribution::normal, 5000, 3));
    const ClipInput input = clip_input(values, {.bits = bits, .is_signed = false});
    EXPECT_NEAR(threshold(KlClip{}, input), slow_kl_threshold(input), half_a_bin(input)) << bits;
  }
}

TEST(KlClip, CountsTheBinsOfAHistogram) {
  const std::vector<float> values{-3, -1, -0.5F, 0, 0.5F, 1, 2, 3};
  const std::vector<double> counts{1, 50, 400, 1000, 500, 30, 2, 1};
  const ClipInput input{
      .values = values, .counts = counts, .min = -3, .max = 3, .grid = {.bits = 4}};
  EXPECT_NEAR(threshold(KlClip{}, input), slow_kl_threshold(input), half_a_bin(input));
}

TEST(KlClip, DoesNotClipOnGridsFinerThanItsBins) {
  const std::vector<float> values = sample(Distribution::heavy, 1000, 4);
  const ClipInput input = clip_input(values, {.bits = 16});
  EXPECT_EQ(threshold(KlClip{}, input), input.max_abs());
}

}  // namespace
}  // namespace ocs
