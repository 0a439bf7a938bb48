#include "ocs/calibrate/moments.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "calibrate/values.h"

namespace ocs {
namespace {

using values::message_of;

TEST(ChannelMoments, TakeMeanSecondMomentAndLargestMagnitude) {
  ChannelMoments moments;
  moments.add(std::vector<float>{1, 2, 3, -4, 5, 6, 7, -8}, 2, 2, 2);
  EXPECT_EQ(moments.channels(), 2);
  EXPECT_EQ(moments.count(), 4);
  EXPECT_EQ(moments.mean(0), 14.0 / 4);
  EXPECT_EQ(moments.mean(1), -2.0 / 4);
  EXPECT_EQ(moments.second_moment(0), 66.0 / 4);
  EXPECT_EQ(moments.second_moment(1), 138.0 / 4);
  EXPECT_EQ(moments.max_abs(0), 6.0F);
  EXPECT_EQ(moments.max_abs(1), 8.0F);
}

TEST(ChannelMoments, ShowTheItemPieceByPieceOnTheWay) {
  struct Case {
    std::int64_t outer, channels, inner;
  };
  for (const Case& of : {Case{1, 7, 3000}, Case{1, 2, 9000}, Case{1, 600, 49}, Case{1, 5000, 1},
                         Case{3, 20, 100}, Case{40, 64, 1}}) {
    const std::vector<float> item =
        values::activations(1, static_cast<std::size_t>(of.outer * of.channels * of.inner), false);
    ChannelMoments plain;
    plain.add(item, of.outer, of.channels, of.inner);
    ChannelMoments showing;
    std::vector<float> shown;
    showing.add(item, of.outer, of.channels, of.inner, [&](std::span<const float> piece) {
      shown.insert(shown.end(), piece.begin(), piece.end());
    });
    EXPECT_EQ(shown, item);
    EXPECT_EQ(showing, plain);
  }
}

TEST(ChannelMoments, OfNothingAreZero) {
  ChannelMoments moments;
  EXPECT_EQ(moments.channels(), 0);
  moments.add({}, 0, 2, 3);
  EXPECT_EQ(moments.channels(), 2);
  EXPECT_EQ(moments.count(), 0);
  EXPECT_EQ(moments.mean(1), 0.0);
  EXPECT_EQ(moments.second_moment(1), 0.0);
}

// Items whose sums in double depend on the order: what is left of them on the grid must not.
std::vector<std::vector<float>> items() {
  std::vector<std::vector<float>> items;
  for (std::uint64_t i = 0; i < 7; ++i) {
    items.push_back(
        values::activations(i, 3 * 50, i % 2 == 0, std::ldexp(1.0F, static_cast<int>(i) * 5 - 15)));
  }
  return items;
}

TEST(ChannelMoments, DoNotDependOnTheOrderOfItems) {
  std::vector<std::vector<float>> all = items();
  ChannelMoments expected;
  for (const auto& item : all) expected.add(item, 1, 3, 50);
  for (int turn = 0; turn < 7; ++turn) {
    std::ranges::rotate(all, all.begin() + 1);
    ChannelMoments moments;
    for (const auto& item : all) moments.add(item, 1, 3, 50);
    EXPECT_EQ(moments, expected);
  }
}

TEST(ChannelMoments, MergeInAnyGrouping) {
  const std::vector<std::vector<float>> all = items();
  ChannelMoments expected;
  for (const auto& item : all) expected.add(item, 1, 3, 50);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    ChannelMoments left;
    ChannelMoments right;
    for (std::size_t i = 0; i < all.size(); ++i) (i < cut ? left : right).add(all[i], 1, 3, 50);
    ChannelMoments both = left;
    both.merge(right);
    EXPECT_EQ(both, expected);
    right.merge(left);
    EXPECT_EQ(right, expected);
  }
}

TEST(ChannelMoments, StayCloseToTheExactMoments) {
  const std::vector<float> item = values::activations(9, 2 * 10'000, false, 0.01F);
  ChannelMoments moments;
  moments.add(item, 1, 2, 10'000);
  long double sum = 0.0L;
  long double squares = 0.0L;
  for (const float value : std::span(item).last(10'000)) {
    sum += static_cast<long double>(value);
    squares += static_cast<long double>(value) * static_cast<long double>(value);
  }
  // One rounding to the grid of 2^-56 for each item, and double sums of 10^4 values: far below
  // 1e-12 of the sums.
  EXPECT_NEAR(moments.mean(1), static_cast<double>(sum / 10'000), 1e-15);
  EXPECT_NEAR(moments.second_moment(1), static_cast<double>(squares / 10'000), 1e-15);
}

TEST(ChannelMoments, RefuseAnotherChannelCount) {
  ChannelMoments moments;
  moments.add(std::vector<float>{1, 2}, 1, 2, 1);
  EXPECT_EQ(message_of([&] {
              moments.add(std::vector<float>{1, 2, 3}, 1, 3, 1);
            }),
            "has 3 channels here and 2 before");
  ChannelMoments other;
  other.add(std::vector<float>{1, 2, 3}, 1, 3, 1);
  EXPECT_EQ(message_of([&] { moments.merge(other); }),
            "has 3 channels in one part and 2 in another");
}

TEST(ChannelMoments, RefuseWhatTheGridCannotHold) {
  const auto add = [](float value) {
    return message_of([&] { ChannelMoments().add(std::vector<float>{value}, 1, 1, 1); });
  };
  EXPECT_EQ(add(3e10F), "");  // squares up to 2^70
  EXPECT_EQ(add(4e10F), "holds values too large for sums of squares");
  EXPECT_EQ(add(std::numeric_limits<float>::max()), "holds values too large for sums of squares");
  EXPECT_EQ(add(std::numeric_limits<float>::quiet_NaN()),
            "holds values too large for sums of squares");
  ChannelMoments moments;
  EXPECT_EQ(message_of([&] {
              for (int i = 0; i < 4; ++i) moments.add(std::vector<float>{3e10F}, 1, 1, 1);
            }),
            "holds values too large for sums of squares");
}

TEST(ChannelMomentsFromParts, RebuildsMomentsAndRefusesWhatIsNone) {
  ChannelMoments moments;
  moments.add(std::vector<float>{1, -2, 3}, 1, 3, 1);
  const std::vector<ChannelMoments::Fixed> sums(moments.sums().begin(), moments.sums().end());
  const std::vector<ChannelMoments::Fixed> squares(moments.squares().begin(),
                                                   moments.squares().end());
  const std::vector<float> max_abs(moments.max_abs().begin(), moments.max_abs().end());
  EXPECT_EQ(ChannelMoments::from_parts(1, sums, squares, max_abs), moments);
  EXPECT_EQ(message_of([&] { (void)ChannelMoments::from_parts(-1, sums, squares, max_abs); }),
            "the count is negative");
  EXPECT_EQ(message_of([&] { (void)ChannelMoments::from_parts(1, sums, squares, {1.0F}); }),
            "sums, squares and max_abs differ in length");
  EXPECT_EQ(message_of([&] {
              (void)ChannelMoments::from_parts(1, sums, squares, {1.0F, -2.0F, 3.0F});
            }),
            "max_abs holds what is no magnitude");
  EXPECT_EQ(message_of([&] { (void)ChannelMoments::from_parts(1, sums, sums, max_abs); }),
            "a sum of squares is negative");
}

}  // namespace
}  // namespace ocs
