#include "ocs/split/copies.h"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/random.h"

namespace ocs {
namespace {

TEST(PartOf, PartsAddUpAndFitForEveryIntegerOfSmallWorlds) {
  for (const int highest : {1, 3, 7, 127}) {
    for (int copies = 1; copies <= 6; ++copies) {
      for (int k = -copies * highest; k <= copies * highest; ++k) {
        int sum = 0;
        for (int j = 0; j < copies; ++j) {
          const int part = part_of(k, copies, j);
          ASSERT_LE(std::abs(part), highest) << k << " in " << copies << ", part " << j;
          sum += part;
        }
        ASSERT_EQ(sum, k) << k << " in " << copies;
      }
    }
  }
}

TEST(PartOf, PartsDifferByOneAtMost) {
  for (int copies = 1; copies <= 6; ++copies) {
    for (int k = -50; k <= 50; ++k) {
      const int last = part_of(k, copies, copies - 1);
      ASSERT_THAT(last - part_of(k, copies, 0), testing::AnyOf(0, 1)) << k << " in " << copies;
    }
  }
}

TEST(PartOf, IsFloorForNegativeNumbersToo) {
  EXPECT_EQ(part_of(-1, 2, 0), -1);
  EXPECT_EQ(part_of(-1, 2, 1), 0);
  EXPECT_EQ(part_of(-7, 3, 0), -3);
}

// The tree itself: the part with the largest share is halved, the lowest index first.
struct TreePart {
  int halvings = 0;
  int value = 0;
};
std::vector<TreePart> halve_by_hand(int k, int copies) {
  std::vector<TreePart> parts{{.value = k}};
  while (std::ssize(parts) < copies) {
    TreePart& largest = *std::ranges::min_element(parts, {}, &TreePart::halvings);
    const int whole = largest.value;
    ++largest.halvings;
    largest.value = static_cast<int>(std::floor(whole / 2.0));
    parts.push_back(
        {.halvings = largest.halvings, .value = static_cast<int>(std::floor((whole + 1) / 2.0))});
  }
  return parts;
}

TEST(HalvingPartOf, IsTheRepeatedHalvingForEveryIntegerOfSmallWorlds) {
  for (int copies = 1; copies <= 20; ++copies) {
    for (int k = -300; k <= 300; ++k) {
      const std::vector<TreePart> tree = halve_by_hand(k, copies);
      int sum = 0;
      for (int j = 0; j < copies; ++j) {
        const auto [expected_halvings, expected] = tree[static_cast<std::size_t>(j)];
        ASSERT_EQ(halvings(copies, j), expected_halvings) << copies << " copies, part " << j;
        ASSERT_EQ(halving_part_of(k, copies, j), expected) << k << " in " << copies << ", " << j;
        sum += expected;
      }
      ASSERT_EQ(sum, k);
    }
  }
}

// Paper, section 3.3: with D = 1, Q((w - 1/2) / 2) + Q((w + 1/2) / 2) = Q(w) where no value is a
// tie. Multiples of 2^-20 off the ties make all four sums exact, so that `==` is meant.
TEST(QuantizationAwareHalves, RoundToTheRoundedWhole) {
  Random random(7);
  for (int i = 0; i < 100000; ++i) {
    const double w = std::ldexp(static_cast<double>(random.below(1U << 27U)) * 2.0 + 1.0, -21) - 64;
    ASSERT_EQ(std::nearbyint((w - 0.5) / 2) + std::nearbyint((w + 0.5) / 2), std::nearbyint(w))
        << w;
  }
}

TEST(QuantizationAwareHalves, AreTheFloorsOfTheRoundedWhole) {
  Random random(8);
  for (int i = 0; i < 100000; ++i) {
    const double w = std::ldexp(static_cast<double>(random.below(1U << 27U)) * 2.0 + 1.0, -21) - 64;
    const auto whole = static_cast<std::int32_t>(std::nearbyint(w));
    ASSERT_EQ(std::nearbyint((w - 0.5) / 2), part_of(whole, 2, 0)) << w;
    ASSERT_EQ(std::nearbyint((w + 0.5) / 2), part_of(whole, 2, 1)) << w;
  }
}

}  // namespace
}  // namespace ocs
