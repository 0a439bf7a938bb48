#include "ocs/data/npy.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Tensor read(const Raw& file) {
  const Bytes bytes = bytes_of_memory(file);
  return read_npy(bytes, read_npy_header(bytes));
}
auto reading(const Raw& file) {
  return [file] { (void)read(file); };
}

template <typename T, typename Held = T>
void expect_type(const std::string& descr, const std::vector<T>& stored,
                 const std::vector<Held>& held) {
  const Tensor tensor =
      read(npy(descr, "(" + std::to_string(stored.size()) + ",)", raw_of(stored)));
  EXPECT_EQ(tensor, (Tensor{.shape = {static_cast<std::int64_t>(stored.size())}, .values = held}))
      << descr;
}

TEST(ReadNpy, KnowsEveryElementTypeThatAModelTakes) {
  expect_type<float>("<f4", {1.5F, -2}, std::vector<float>{1.5F, -2});
  expect_type<double>("<f8", {1.5, 1e300}, std::vector<double>{1.5, 1e300});
  expect_type<std::uint16_t>("<f2", {0x3C00, 0xC100}, std::vector<float>{1, -2.5F});
  expect_type<std::int8_t>("|i1", {-128, 127}, std::vector<std::int8_t>{-128, 127});
  expect_type<std::int16_t>("<i2", {-2, 300}, std::vector<std::int16_t>{-2, 300});
  expect_type<std::int32_t>("<i4", {-2, 1 << 30}, std::vector<std::int32_t>{-2, 1 << 30});
  expect_type<std::int64_t>("<i8", {-2, 1LL << 40}, std::vector<std::int64_t>{-2, 1LL << 40});
  expect_type<std::uint8_t>("|u1", {0, 255}, std::vector<std::uint8_t>{0, 255});
  expect_type<std::uint16_t>("<u2", {0, 65535}, std::vector<std::uint16_t>{0, 65535});
  expect_type<std::uint32_t>("<u4", {0, 4294967295U}, std::vector<std::int64_t>{0, 4294967295});
  expect_type<std::uint64_t>("<u8", {0, 1ULL << 40}, std::vector<std::int64_t>{0, 1LL << 40});
  expect_type<std::uint8_t>("|b1", {0, 1}, std::vector<Boolean>{Boolean::no, Boolean::yes});
}

TEST(ReadNpy, TurnsTheBytesOfTheOtherOrder) {
  EXPECT_EQ(read(npy(">i4", "(2,)", {0, 0, 1, 2, 255, 255, 255, 254})).values,
            (Values{std::vector<std::int32_t>{258, -2}}));
  EXPECT_EQ(read(npy(">f2", "(1,)", {0x3C, 0x00})).values, (Values{std::vector<float>{1}}));
}

TEST(ReadNpy, KnowsTheThreeVersions) {
  for (const int version : {1, 2, 3}) {
    EXPECT_EQ(read(npy("<i2", "(2, 1)", {1, 0, 2, 0}, false, version)),
              (Tensor{.shape = {2, 1}, .values = std::vector<std::int16_t>{1, 2}}));
  }
  EXPECT_THAT(reading(npy("<i2", "(1,)", {1, 0}, false, 4)),
              ThrowsMessage<Error>("a .npy file of version 4; 1 to 3 are known"));
}

TEST(ReadNpy, TakesScalarsAndEmptyArrays) {
  EXPECT_EQ(read(npy("<i2", "()", {7, 0})),
            (Tensor{.shape = {}, .values = std::vector<std::int16_t>{7}}));
  EXPECT_EQ(read(npy("<i2", "(0, 3)", {})),
            (Tensor{.shape = {0, 3}, .values = std::vector<std::int16_t>{}}));
}

TEST(ReadNpy, PutsFortranOrderIntoCOrder) {
  // a[i, j, k] = 100 i + 10 j + k, stored with i fastest.
  std::vector<std::uint8_t> stored;
  for (int k = 0; k < 2; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) stored.push_back(static_cast<std::uint8_t>(100 * i + 10 * j + k));
    }
  }
  const Raw file = npy("|u1", "(2, 3, 2)", stored, true);
  EXPECT_EQ(
      read(file).values,
      (Values{std::vector<std::uint8_t>{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121}}));
  const Bytes bytes = bytes_of_memory(file);
  EXPECT_EQ(read_npy_rows(bytes, read_npy_header(bytes), 1, 1),
            (Tensor{.shape = {1, 3, 2},
                    .values = std::vector<std::uint8_t>{100, 101, 110, 111, 120, 121}}));
}

TEST(ReadNpyRows, ReadsAPartOfTheFirstAxis) {
  const Bytes bytes = bytes_of_memory(npy_floats("(4, 2)", 8));
  EXPECT_EQ(read_npy_rows(bytes, read_npy_header(bytes), 1, 2),
            (Tensor{.shape = {2, 2}, .values = std::vector<float>{2, 3, 4, 5}}));
}

TEST(ReadNpy, RefusesWhatNoModelTakes) {
  EXPECT_THAT(reading(npy("|O", "(1,)", {1})),
              ThrowsMessage<Error>("an array of Python objects; save an array of numbers instead"));
  EXPECT_THAT(reading(npy("<U5", "(1,)", Raw(20))),
              ThrowsMessage<Error>("an array with elements '<U5', which no model takes"));
  EXPECT_THAT(reading(npy("<c8", "(1,)", Raw(8))),
              ThrowsMessage<Error>(HasSubstr("elements '<c8'")));
  EXPECT_THAT(reading(npy("<f16", "(1,)", Raw(16))),
              ThrowsMessage<Error>(HasSubstr("elements '<f16'")));
  EXPECT_THAT(reading(npy("<u8", "(1,)", Raw(8, 255))),
              ThrowsMessage<Error>("value 18446744073709551615 is above the range of int64"));
}

TEST(ReadNpy, NamesWhatIsDamaged) {
  EXPECT_THAT(
      reading(npy_floats("(2, 3)", 5)),
      ThrowsMessage<Error>("the file is cut off: 6 elements for the shape [2,3], 5 are there"));
  EXPECT_THAT(reading(raw_of("something else")), ThrowsMessage<Error>("not a .npy file"));
  EXPECT_THAT(reading(raw_of("\x93NUMPY")), ThrowsMessage<Error>("not a .npy file: 6 bytes"));
  EXPECT_THAT(reading(npy_floats("(9223372036854775807, 9)", 5)),
              ThrowsMessage<Error>(HasSubstr("an extent is too large")));
  EXPECT_THAT(reading(npy_floats("(4611686018427387904, 9)", 5)),
              ThrowsMessage<Error>(HasSubstr("is too large")));
  EXPECT_THAT(reading(npy_floats("(-1,)", 5)),
              ThrowsMessage<Error>(HasSubstr("a whole number is expected")));
  EXPECT_THAT(reading(npy_floats("(1, 2", 5)),
              ThrowsMessage<Error>(HasSubstr("damaged .npy header: ")));
  Raw long_header = npy("<f4", "(1,)", Raw(4), false, 2);
  long_header[10] = 0xFF;
  EXPECT_THAT(reading(long_header), ThrowsMessage<Error>(HasSubstr("a header of ")));
}

TEST(ReadNpy, RefusesEveryFileThatIsCutOff) {
  const Raw whole = npy_floats("(2, 3)", 6);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW((void)read(Raw(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
                 Error)
        << size;
  }
}

// The definition: sign, 5 bits of exponent with bias 15, 10 bits of fraction.
TEST(FromHalf, EqualsTheDefinitionForAllBitPatterns) {
  for (int bits = 0; bits < 65536; ++bits) {
    const int exponent = (bits >> 10) & 31;
    const int fraction = bits & 1023;
    const float value = from_half(static_cast<std::uint16_t>(bits));
    EXPECT_EQ(std::signbit(value), bits >= 32768);
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), fraction != 0);
      EXPECT_EQ(std::isinf(value), fraction == 0);
    } else {
      const double magnitude =
          exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
      EXPECT_EQ(static_cast<double>(std::abs(value)), magnitude);
    }
  }
}

}  // namespace
}  // namespace ocs
