#include "ocs/calibrate/bins.h"

#include <limits>

#include <gtest/gtest.h>

#include "calibrate/values.h"

namespace ocs {
namespace {

constexpr float smallest = std::numeric_limits<float>::denorm_min();
constexpr float largest = std::numeric_limits<float>::max();

std::uint32_t magnitude_of(float value) {
  return std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU;
}

std::uint32_t number_of(float value, int exponent) {
  std::uint32_t number = 0;
  EXPECT_EQ(bins::number_all_scalar({&value, 1}, exponent, &number).count, 1U);
  return number;
}

TEST(BinExponent, IsTheSmallestThatHoldsTheMagnitude) {
  for (const float value : values::any_finite(1, 10'000)) {
    if (value == 0.0F) continue;
    const int exponent = bins::exponent_for(magnitude_of(value));
    const double magnitude = std::abs(static_cast<double>(value));
    EXPECT_LT(magnitude, std::ldexp(1.0, exponent + 11));
    if (exponent > bins::lowest_exponent) {
      EXPECT_GE(magnitude, std::ldexp(1.0, exponent + 10));
    }
  }
  EXPECT_EQ(bins::exponent_for(magnitude_of(1.0F)), -10);
  EXPECT_EQ(bins::exponent_for(magnitude_of(std::nextafter(1.0F, 0.0F))), -11);
  EXPECT_EQ(bins::exponent_for(magnitude_of(smallest)), bins::lowest_exponent);
}

TEST(BinNumbers, HoldHalfOpenIntervals) {
  const int exponent = -10;  // 1 / 1024
  const float width = std::ldexp(1.0F, exponent);
  EXPECT_EQ(number_of(width, exponent), 2049U);
  EXPECT_EQ(number_of(std::nextafter(width, 0.0F), exponent), 2048U);
  EXPECT_EQ(number_of(smallest, exponent), 2048U);
  EXPECT_EQ(number_of(-smallest, exponent), 2047U);
  EXPECT_EQ(number_of(-width, exponent), 2047U);
  EXPECT_EQ(number_of(-std::nextafter(width, 1.0F), exponent), 2046U);
  EXPECT_EQ(number_of(-std::nextafter(2.0F, 0.0F), exponent), 0U);
  EXPECT_EQ(number_of(std::nextafter(2.0F, 0.0F), exponent), 4095U);
  EXPECT_EQ(number_of(0.0F, exponent), bins::zero);
  EXPECT_EQ(number_of(-0.0F, exponent), bins::zero);
}

bool is_same(const bins::Extremes& a, const bins::Extremes& b) {
  return a.min == b.min && a.max == b.max && a.magnitude == b.magnitude;
}

// Bounds of bins and their neighbours on both sides, at many widths.
std::vector<float> around_bounds(int exponent) {
  std::vector<float> result{0.0F, -0.0F, smallest, -smallest};
  for (int bin = -2047; bin <= 2047; ++bin) {
    const float bound = std::ldexp(static_cast<float>(bin), exponent);
    result.push_back(bound);
    result.push_back(std::nextafter(bound, largest));
    result.push_back(std::nextafter(bound, -largest));
  }
  return result;
}

TEST(BinNumbers, WithoutZerosAreThoseOfTheOtherValues) {
  values::for_each_target([](const std::string& target) {
    for (const int exponent : {-126, -40, 0, 60}) {
      std::vector<float> values = around_bounds(exponent);
      // Zeros of both signs in runs and alone, at every place of a vector.
      for (std::size_t i = 0; i < values.size(); ++i)
        if (i % 7 == 3 || i % 64 < i / 64 % 40) values[i] = i % 2 == 0 ? 0.0F : -0.0F;
      for (const std::size_t count : {values.size(), std::size_t{1}, std::size_t{5}}) {
        const std::span<const float> part = std::span(values).first(count);
        std::vector<std::uint32_t> expected(count);
        (void)bins::number_all_scalar(part, exponent, expected.data());
        std::erase(expected, bins::zero);
        std::vector<std::uint32_t> found(count + bins::slack);
        const bins::Numbered numbered = bins::number_nonzero(part, exponent, found.data());
        EXPECT_TRUE(is_same(numbered.extremes, bins::extremes_scalar(part)));
        found.resize(numbered.count);
        EXPECT_EQ(found, expected) << target << ", exponent " << exponent;
        found.resize(count);
        found.resize(bins::number_nonzero_scalar(part, exponent, found.data()).count);
        EXPECT_EQ(found, expected);
      }
    }
  });
}

// Values that are not negative have a way of their own.
TEST(BinNumbers, BehindAReluAreThoseOfAnyValues) {
  const auto check = [](const std::vector<float>& values, int exponent) {
    std::vector<std::uint32_t> expected(values.size());
    (void)bins::number_all_scalar(values, exponent, expected.data());
    std::erase(expected, bins::zero);
    std::vector<std::uint32_t> found(values.size() + bins::slack);
    const bins::Numbered numbered = bins::number_nonzero(values, exponent, found.data());
    const bins::Extremes extremes = bins::extremes_scalar(values);
    EXPECT_EQ(numbered.extremes.magnitude, extremes.magnitude);
    if (extremes.magnitude > bins::infinity_bits) return;
    EXPECT_TRUE(is_same(numbered.extremes, extremes));
    if (!bins::holds(exponent, extremes)) return;
    found.resize(numbered.count);
    EXPECT_EQ(found, expected);
  };
  values::for_each_target([&](const std::string& target) {
    SCOPED_TRACE(target);
    for (const int exponent : {-126, -40, 0, 60}) {
      std::vector<float> values = around_bounds(exponent);
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = i % 5 < 2 || std::signbit(values[i]) ? 0.0F : values[i];
      for (const std::size_t count : {values.size(), std::size_t{67}, std::size_t{8}})
        check({values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count)}, exponent);
      check(std::vector<float>(100, smallest), exponent);  // no zero at all
    }
    const std::vector<float> ramp = [] {
      std::vector<float> values(67);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 9);
      return values;
    }();
    for (const float odd :
         {-0.0F, -smallest, -3.0F, 5000.0F, largest, std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()})
      for (std::size_t place = 0; place < ramp.size(); ++place) {
        std::vector<float> values = ramp;
        values[place] = odd;
        check(values, 0);
      }
  });
}

TEST(BinNumbers, AreTheSameOnEveryInstructionSet) {
  values::for_each_target([](const std::string& target) {
    for (const int exponent : {-126, -125, -40, -11, 0, 1, 60, 117}) {
      std::vector<float> values = around_bounds(exponent);
      for (const float value : values::any_finite(2, 20'000))
        if (bins::exponent_for(magnitude_of(value)) <= exponent) values.push_back(value);
      std::vector<std::uint32_t> expected(values.size());
      std::vector<std::uint32_t> found(values.size());
      (void)bins::number_all_scalar(values, exponent, expected.data());
      const bins::Numbered numbered = bins::number_all(values, exponent, found.data());
      EXPECT_TRUE(is_same(numbered.extremes, bins::extremes_scalar(values)));
      EXPECT_EQ(numbered.count, values.size());
      EXPECT_EQ(found, expected) << target << ", exponent " << exponent;
    }
  });
}

TEST(BinNumbers, AreTheSameAtEveryLength) {
  const std::vector<float> values = values::activations(3, 70, false);
  values::for_each_target([&](const std::string& target) {
    for (std::size_t count = 1; count <= values.size(); ++count) {
      std::vector<std::uint32_t> expected(count + 1, 77);
      std::vector<std::uint32_t> found(count + 1, 77);
      (void)bins::number_all_scalar(std::span(values).first(count), 0, expected.data());
      (void)bins::number_all(std::span(values).first(count), 0, found.data());
      EXPECT_EQ(found, expected) << target << ", " << count << " values";
    }
  });
}

TEST(BinExtremes, AreTheSameOnEveryInstructionSet) {
  const std::vector<float> values = values::any_finite(4, 300);
  values::for_each_target([&](const std::string& target) {
    for (std::size_t count = 1; count <= values.size(); ++count) {
      const std::span<const float> part = std::span(values).last(count);
      const bins::Extremes expected = bins::extremes_scalar(part);
      const bins::Extremes found = bins::extremes(part);
      EXPECT_EQ(found.min, expected.min) << target << ", " << count << " values";
      EXPECT_EQ(found.max, expected.max) << target << ", " << count << " values";
      EXPECT_EQ(found.magnitude, expected.magnitude) << target << ", " << count << " values";
      // The passes that number find them too, whether the exponent holds the values or not.
      std::vector<std::uint32_t> numbers(count + bins::slack);
      for (const int exponent : {-126, 0, 117}) {
        EXPECT_TRUE(is_same(bins::number_all(part, exponent, numbers.data()).extremes, expected));
        EXPECT_TRUE(
            is_same(bins::number_nonzero(part, exponent, numbers.data()).extremes, expected));
      }
    }
  });
}

TEST(BinExtremes, ShowWhatIsNotFiniteAtEveryPlace) {
  values::for_each_target([](const std::string& target) {
    for (std::size_t place = 0; place < 40; ++place) {
      std::vector<float> values(40, 1.0F);
      values[place] = -std::numeric_limits<float>::infinity();
      EXPECT_EQ(bins::extremes(values).magnitude, bins::infinity_bits) << target;
      values[place] = -std::numeric_limits<float>::quiet_NaN();
      EXPECT_GT(bins::extremes(values).magnitude, bins::infinity_bits) << target;
      std::vector<std::uint32_t> numbers(values.size() + bins::slack);
      EXPECT_GT(bins::number_all(values, 0, numbers.data()).extremes.magnitude,
                bins::infinity_bits);
      EXPECT_GT(bins::number_nonzero(values, 0, numbers.data()).extremes.magnitude,
                bins::infinity_bits);
    }
  });
}

TEST(BinExtremes, DropTheSignOfZero) {
  values::for_each_target([](const std::string& target) {
    const std::vector<float> zeros(33, -0.0F);
    EXPECT_FALSE(std::signbit(bins::extremes(zeros).min)) << target;
    EXPECT_FALSE(std::signbit(bins::extremes(zeros).max)) << target;
  });
}

}  // namespace
}  // namespace ocs
