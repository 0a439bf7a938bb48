#include "ocs/calibrate/histogram.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "calibrate/values.h"

namespace ocs {
namespace {

using values::message_of;

Histogram histogram_of(std::span<const float> values) {
  Histogram histogram;
  histogram.add(values);
  return histogram;
}

// The definition, value by value: the width from the largest magnitude of all, then one floor for
// each value.
Histogram obvious(std::span<const float> values) {
  std::int64_t zeros = 0;
  double high = 0.0;
  for (const float value : values) high = std::max(high, std::abs(static_cast<double>(value)));
  if (high == 0.0)
    return Histogram::from_parts(static_cast<std::int64_t>(values.size()), 0.0F, 0.0F, 0, {});
  int exponent = -126;
  while (high >= std::ldexp(2048.0, exponent)) ++exponent;
  std::vector<std::int64_t> bins(4096, 0);
  for (const float value : values) {
    if (value == 0.0F)
      ++zeros;
    else
      ++bins[static_cast<std::size_t>(
          std::floor(std::ldexp(static_cast<double>(value), -exponent)) + 2048)];
  }
  return Histogram::from_parts(zeros, std::ranges::min(values), std::ranges::max(values), exponent,
                               bins);
}

std::vector<std::vector<float>> data_sets() {
  std::vector<std::vector<float>> sets;
  sets.push_back(values::activations(1, 100'000, true));
  sets.push_back(values::activations(2, 100'000, false, 1e-3F));
  sets.push_back(values::any_finite(3, 50'000));                  // grows up to the largest floats
  sets.push_back(values::activations(4, 20'000, false, 1e-38F));  // subnormal values among them
  sets.push_back(values::activations(5, 5'000, false, 1e38F));
  std::vector<float> growing(30'000);
  for (std::size_t i = 0; i < growing.size(); ++i)
    growing[i] = static_cast<float>(i) * (i % 2 == 0 ? 1e-6F : -3e-6F);
  sets.push_back(growing);
  sets.push_back(std::vector<float>(10'000, 0.0F));
  sets.push_back({3.5F});
  for (auto& set : sets)  // no value that rounds to infinity in the making
    for (float& value : set)
      if (!std::isfinite(value)) value = 1.0F;
  return sets;
}

TEST(HistogramFiller, CountsPiecesAsOne) {
  for (const std::vector<float>& set : data_sets())
    for (const std::size_t piece : {1UL, 1000UL, 4096UL, 70'000UL})
      for (const std::size_t expected : {0UL, set.size()}) {
        Histogram found;
        {
          HistogramFiller filler(found, expected);
          for (std::size_t i = 0; i < set.size(); i += piece)
            filler.add(std::span(set).subspan(i, std::min(piece, set.size() - i)));
        }
        EXPECT_EQ(found, obvious(set)) << piece << " at once, " << expected << " expected";
      }
}

TEST(Histogram, EqualsTheObviousOne) {
  for (const auto& values : data_sets()) EXPECT_EQ(histogram_of(values), obvious(values));
}

TEST(Histogram, IsTheSameOnEveryInstructionSet) {
  for (const auto& values : data_sets()) {
    const Histogram expected = obvious(values);
    values::for_each_target(
        [&](const std::string& target) { EXPECT_EQ(histogram_of(values), expected) << target; });
  }
}

TEST(Histogram, DoesNotDependOnTheOrder) {
  for (auto values : data_sets()) {
    const Histogram expected = histogram_of(values);
    std::ranges::sort(values);
    EXPECT_EQ(histogram_of(values), expected);
    std::ranges::reverse(values);
    EXPECT_EQ(histogram_of(values), expected);
  }
}

TEST(Histogram, DoesNotDependOnHowValuesAreBatched) {
  for (const auto& values : data_sets()) {
    const Histogram expected = histogram_of(values);
    for (const std::size_t size : {1UL, 7UL, 2048UL, 2049UL, 4096UL, 10'000UL}) {
      Histogram histogram;
      for (std::size_t start = 0; start < values.size(); start += size)
        histogram.add(std::span(values).subspan(start, std::min(size, values.size() - start)));
      EXPECT_EQ(histogram, expected) << size << " values at a time";
    }
  }
}

TEST(Histogram, MergesInAnyOrderAndGrouping) {
  const std::vector<float> a = values::activations(6, 5'000, true, 1e-4F);
  const std::vector<float> b = values::activations(7, 3'000, false, 10.0F);
  const std::vector<float> c(100, 0.0F);
  std::vector<float> all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  const Histogram expected = histogram_of(all);

  std::vector<Histogram> parts{histogram_of(a), histogram_of(b), histogram_of(c), Histogram()};
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    Histogram left;  // ((w + x) + y) + z
    for (const std::size_t part : order) left.merge(parts[part]);
    EXPECT_EQ(left, expected);
    Histogram right;  // w + (x + (y + z))
    for (auto part = order.rbegin(); part != order.rend(); ++part) {
      Histogram sum = parts[*part];
      sum.merge(right);
      right = sum;
    }
    EXPECT_EQ(right, expected);
  } while (std::ranges::next_permutation(order).found);
}

TEST(Histogram, KeepsExactEndsAndCounts) {
  const Histogram histogram = histogram_of(std::vector<float>{0.1F, -0.3F, 0.0F, -0.0F, 0.2F});
  EXPECT_EQ(histogram.count(), 5);
  EXPECT_EQ(histogram.zeros(), 2);
  EXPECT_EQ(histogram.min(), -0.3F);
  EXPECT_EQ(histogram.max(), 0.2F);
  EXPECT_EQ(std::accumulate(histogram.bins().begin(), histogram.bins().end(), std::int64_t{0}), 3);
}

TEST(Histogram, OfNothingIsEmpty) {
  const Histogram histogram = histogram_of({});
  EXPECT_EQ(histogram, Histogram());
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_TRUE(histogram.weighted().values.empty());
}

TEST(Histogram, GivesItsBinsAsWeightedValues) {
  // Width 2^-9: bins of 2^-9 around 1 and -2.5; centres lie half a width above the lower bound.
  const Histogram histogram = histogram_of(std::vector<float>{1.0F, 1.001F, -2.5F, 0.0F, 3.0F});
  EXPECT_EQ(histogram.exponent(), -9);
  const Histogram::Weighted weighted = histogram.weighted();
  const float centre = std::ldexp(0.5F, -9);
  EXPECT_EQ(weighted.values, (std::vector<float>{-2.5F + centre, 0.0F, 1.0F + centre,
                                                 3.0F}));  // the last one clamped to the maximum
  EXPECT_EQ(weighted.counts, (std::vector<double>{1, 1, 2, 1}));
}

TEST(Histogram, SaysWhatIsNotFinite) {
  for (const std::size_t place : {0UL, 5'000UL, 9'999UL}) {
    std::vector<float> values(10'000, 1.0F);
    values[place] = std::numeric_limits<float>::infinity();
    EXPECT_EQ(message_of([&] { (void)histogram_of(values); }), "holds infinity");
    values[10'000 - 1 - place] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(message_of([&] { (void)histogram_of(values); }), "holds NaN");
    EXPECT_EQ(message_of([&] { Histogram().add_range(values); }), "holds NaN");
  }
}

TEST(HistogramRange, KeepsEndsAndCountsOnly) {
  const std::vector<float> values = values::activations(8, 10'000, true);
  const Histogram full = histogram_of(values);
  Histogram range;
  range.add_range(values);
  EXPECT_EQ(range, Histogram::from_range(full.count(), full.zeros(), full.min(), full.max()));
  EXPECT_TRUE(range.range_only());
  EXPECT_FALSE(full.range_only());
}

TEST(HistogramRange, DoesNotMergeWithBins) {
  Histogram range;
  range.add_range(std::vector<float>{1.0F});
  Histogram full = histogram_of(std::vector<float>{1.0F});
  EXPECT_EQ(message_of([&] { full.merge(range); }),
            "one part has a histogram and the other only a range");
  EXPECT_EQ(message_of([&] { range.merge(full); }),
            "one part has a histogram and the other only a range");
  Histogram zeros = histogram_of(std::vector<float>(3, 0.0F));
  zeros.merge(range);
  EXPECT_EQ(zeros, Histogram::from_range(4, 3, 0.0F, 1.0F));
}

TEST(HistogramFromParts, RebuildsAHistogram) {
  for (const auto& values : data_sets()) {
    const Histogram histogram = histogram_of(values);
    const std::vector<std::int64_t> bins(histogram.bins().begin(), histogram.bins().end());
    EXPECT_EQ(Histogram::from_parts(histogram.zeros(), histogram.min(), histogram.max(),
                                    histogram.exponent(), bins),
              histogram);
  }
}

TEST(HistogramFromParts, RefusesWhatNoValuesCouldHaveMade) {
  const auto make = [](std::int64_t zeros, float min, float max, int exponent,
                       const std::map<std::size_t, std::int64_t>& counts) {
    return message_of([&] {
      std::vector<std::int64_t> bins(4096, 0);
      for (const auto& [bin, count] : counts) bins[bin] = count;
      (void)Histogram::from_parts(zeros, min, max, exponent, bins);
    });
  };
  EXPECT_EQ(make(1, 0.0F, 1.0F, -10, {{3072, 2}}), "");
  EXPECT_EQ(make(-1, 0.0F, 1.0F, -10, {{3072, 2}}), "count and zeros do not fit together");
  EXPECT_EQ(make(1, 0.0F, 1.0F, -9, {{3072, 2}}), "the exponent does not fit the range");
  EXPECT_EQ(make(1, 0.0F, 1.0F, -10, {{3071, 2}}), "the bins do not fit the range");
  EXPECT_EQ(make(1, 0.0F, 1.0F, -10, {{3072, 2}, {3073, 1}}), "the bins do not fit the range");
  EXPECT_EQ(make(1, 0.0F, 1.0F, -10, {{3072, 2}, {2000, 1}}), "the bins do not fit the range");
  EXPECT_EQ(make(1, -1.0F, 0.0F, -10, {{1024, 2}, {2050, 1}}), "the bins do not fit the range");
  EXPECT_EQ(make(1, 0.0F, 1.0F, -10, {{3072, -2}}), "a bin holds a negative count");
  EXPECT_EQ(make(1, 0.0F, 1.0F, -10, {{3072, std::numeric_limits<std::int64_t>::max()}}),
            "the counts are too large");
  EXPECT_EQ(make(1, 0.5F, 1.0F, -10, {{3072, 2}}), "there are zeros outside of the range");
  EXPECT_EQ(make(0, 0.0F, 1.0F, -10, {{3072, 2}}), "the range ends at a zero that was not counted");
  EXPECT_EQ(make(0, 2.0F, 1.0F, -10, {{3072, 2}}), "minimum and maximum are no range");
  EXPECT_EQ(make(0, std::numeric_limits<float>::quiet_NaN(), 1.0F, -10, {{3072, 2}}),
            "minimum and maximum are no range");
  EXPECT_EQ(make(2, 0.0F, 1.0F, -10, {}), "the range holds no value");
  EXPECT_EQ(message_of([] {
              (void)Histogram::from_parts(0, 1.0F, 1.0F, -10, std::vector<std::int64_t>(7, 1));
            }),
            "there must be 4096 bins");
  EXPECT_EQ(message_of([] { (void)Histogram::from_parts(1, 0.0F, 0.0F, -10, {}); }),
            "there is an exponent but no bins");
}

}  // namespace
}  // namespace ocs
