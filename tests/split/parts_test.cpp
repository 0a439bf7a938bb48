#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/random.h"
#include "ocs/quant/affine.h"
#include "ocs/split/select.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using enum SplitKind;
using enum SplitParts;

TEST(Shares, AreEqualOrHalvedFromTheLargest) {
  EXPECT_THAT(shares(1, equal), ElementsAre(1.0F));
  EXPECT_THAT(shares(4, equal), ElementsAre(0.25F, 0.25F, 0.25F, 0.25F));
  EXPECT_THAT(shares(2, halving), ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(shares(3, halving), ElementsAre(0.25F, 0.5F, 0.25F));
  EXPECT_THAT(shares(5, halving), ElementsAre(0.125F, 0.25F, 0.25F, 0.25F, 0.125F));
}

TEST(Shares, OfHalvingAddUpToOneExactly) {
  for (int copies = 1; copies <= 100; ++copies) {
    const std::vector<float> all = shares(copies, halving);
    EXPECT_EQ(std::accumulate(all.begin(), all.end(), 0.0F), 1.0F) << copies;
  }
}

TEST(PhysicalWeights, CarryTheSharesOfEveryWeight) {
  const std::vector<float> data{4, 1, -8, 2};  // [outputs, inputs] = [2, 2]
  const ChannelMatrix weight{
      .data = data, .outputs = 2, .inputs = 2, .output_stride = 2, .input_stride = 1};
  EXPECT_THAT(physical_weights(weight, {}, equal), ElementsAre(4, 1, -8, 2));
  const std::vector<int> copies{3, 1};
  EXPECT_THAT(physical_weights(weight, copies, halving), ElementsAre(1, 2, 1, 1, -2, -4, -2, 2));
  EXPECT_THAT(physical_rows(weight, copies, halving, {.first = 1, .last = 2}),
              ElementsAre(ElementsAre(-2, -4, -2, 2)));
  const std::vector<int> wrong{1};
  EXPECT_THROW((void)physical_weights(weight, wrong, equal), Error);
}

TEST(PhysicalWeights, OfARowUseTheCopiesOfItsGroup) {
  const std::vector<float> data{6, 8};  // two groups of one output and one input
  const ChannelMatrix weight{.data = data,
                             .groups = 2,
                             .outputs = 1,
                             .inputs = 1,
                             .group_stride = 1,
                             .output_stride = 1,
                             .input_stride = 1};
  const std::vector<int> copies{1, 2};
  const auto rows_of = [&](std::int64_t group) {
    return physical_rows(weight, copies, equal, {.group = group, .first = 0, .last = 1});
  };
  EXPECT_THAT(rows_of(0), ElementsAre(ElementsAre(6)));
  EXPECT_THAT(rows_of(1), ElementsAre(ElementsAre(4, 4)));
}

// Whichever axis lies inside: the same values in the same order.
TEST(PhysicalRows, DoNotDependOnTheLayout) {
  std::vector<float> dense(6 * 5 * 2);
  std::vector<float> turned(dense.size());
  ChannelMatrix rows = dense_view(dense, 1, 6, 5, 2);
  ChannelMatrix columns = rows;
  columns.data = turned;
  columns.output_stride = 2;
  columns.input_stride = 6 * 2;
  for (std::int64_t o = 0; o < 6; ++o)
    for (std::int64_t i = 0; i < 5; ++i)
      for (std::int64_t k = 0; k < 2; ++k)
        dense[rows.index(0, o, i, k)] = turned[columns.index(0, o, i, k)] =
            static_cast<float>(100 * o + 10 * i + k);
  const std::vector<int> copies{1, 3, 1, 2, 1};
  const RowBlock block{.first = 2, .last = 5};
  EXPECT_EQ(physical_rows(rows, copies, equal, block),
            physical_rows(columns, copies, equal, block));
  EXPECT_EQ(physical_rows(rows, copies, equal, block)[1].size(), 16U);
}

TEST(RoundedSum, OfOneCopyIsPlainRounding) {
  for (const SplitKind kind : {quantization_aware, naive}) {
    for (const SplitParts parts : {equal, halving}) {
      for (float w = -12.0F; w <= 12.0F; w += 0.25F) {
        EXPECT_EQ(rounded_sum(w, 1.0F, 7, 1, kind, parts), quantize(w, 1.0F, 0, -7, 7));
      }
    }
  }
}

TEST(RoundedSum, OfQuantizationAwareEqualPartsIsTheWidenedRange) {
  for (int copies = 1; copies <= 6; ++copies) {
    for (int k = -60; k <= 60; ++k) {
      const float w = 0.1F * (static_cast<float>(k) + 0.4F);
      const int expected = std::clamp(k, -copies * 7, copies * 7);
      EXPECT_EQ(rounded_sum(w, 0.1F, 7, copies, quantization_aware, equal), expected);
    }
  }
}

TEST(RoundedSum, OfQuantizationAwareHalvesClampsEachPart) {
  // 3 copies of 40: 10, 20, 10. The half does not fit into 15, the quarters do.
  EXPECT_EQ(rounded_sum(40.0F, 1.0F, 15, 3, quantization_aware, halving), 35);
  EXPECT_EQ(rounded_sum(-40.0F, 1.0F, 15, 3, quantization_aware, halving), -35);
  EXPECT_EQ(rounded_sum(40.0F, 1.0F, 20, 3, quantization_aware, halving), 40);
  EXPECT_EQ(rounded_sum(1e30F, 1.0F, 15, 3, quantization_aware, halving), 45);
}

TEST(RoundedSum, OfNaivePartsRoundsEachPart) {
  EXPECT_EQ(rounded_sum(2.4F, 1.0F, 7, 2, naive, equal), 2);    // 1.2 twice
  EXPECT_EQ(rounded_sum(3.2F, 1.0F, 7, 2, naive, equal), 4);    // 1.6 twice
  EXPECT_EQ(rounded_sum(3.2F, 1.0F, 7, 3, naive, halving), 4);  // 0.8, 1.6, 0.8
  EXPECT_EQ(rounded_sum(30.0F, 1.0F, 7, 2, naive, halving), 14);
}

TEST(RoundedSum, StaysWithinTheCopies) {
  Random random(3);
  for (int i = 0; i < 20000; ++i) {
    const auto w = static_cast<float>(200.0 * random.normal());
    const int copies = 1 + static_cast<int>(random.below(9));
    for (const SplitKind kind : {quantization_aware, naive}) {
      for (const SplitParts parts : {equal, halving}) {
        ASSERT_LE(std::abs(rounded_sum(w, 1.0F, 7, copies, kind, parts)), copies * 7) << w;
      }
    }
  }
}

// docs/splitting.md: rounding m equal parts one by one has m^2 times the error variance of
// rounding the whole, which is what the quantization-aware parts have. 2% is six standard errors of
// a variance estimated from 400,000 uniform errors.
TEST(RoundedSum, HasTheErrorVarianceOfItsKind) {
  Random random(5);
  for (int copies = 2; copies <= 4; ++copies) {
    double aware_error = 0.0;
    double naive_error = 0.0;
    constexpr int count = 400000;
    for (int i = 0; i < count; ++i) {
      const auto w = static_cast<float>(30.0 * random.uniform());
      const auto error = [&](SplitKind kind) {
        return std::pow(rounded_sum(w, 1.0F, 127, copies, kind, equal) - static_cast<double>(w), 2);
      };
      aware_error += error(quantization_aware);
      naive_error += error(naive);
    }
    EXPECT_NEAR(12.0 * aware_error / count, 1.0, 0.02);
    EXPECT_NEAR(12.0 * naive_error / count, copies * copies, 0.02 * copies * copies);
  }
}

}  // namespace
}  // namespace ocs
