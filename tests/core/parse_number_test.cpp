#include "ocs/core/parse_number.h"

#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

using testing::ThrowsMessage;

TEST(ParseNumber, TakesWholeTexts) {
  EXPECT_EQ(parse_number<int>("-12"), -12);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(parse_number<double>("0.05"), 0.05);
  EXPECT_EQ(parse_number<double>("1e-3"), 1e-3);
}

TEST(ParseNumber, RefusesEverythingElse) {
  for (const char* text : {"", " 4", "4 ", "+4", "4.0", "0x4", "four", "4,5"}) {
    EXPECT_THAT([&] { (void)parse_number<int>(text); },
                ThrowsMessage<Error>(fmt::format("'{}' is not a whole number", text)));
  }
  EXPECT_THAT([] { (void)parse_number<std::size_t>("-1"); },
              ThrowsMessage<Error>("'-1' is not a whole number"));
  EXPECT_THAT([] { (void)parse_number<int>("99999999999"); },
              ThrowsMessage<Error>("'99999999999' is out of range"));
  EXPECT_THAT([] { (void)parse_number<double>("5%"); },
              ThrowsMessage<Error>("'5%' is not a number"));
  EXPECT_THAT([] { (void)parse_number<double>("nan"); },
              ThrowsMessage<Error>("'nan' is not a finite number"));
  EXPECT_THAT([] { (void)parse_number<double>("-inf"); },
              ThrowsMessage<Error>("'-inf' is not a finite number"));
}

}  // namespace
}  // namespace ocs
