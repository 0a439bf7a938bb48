#include "ocs/report/figures.h"

#include <limits>

#include <gtest/gtest.h>

namespace ocs {
namespace {

TEST(BytesText, HasThreeDigitsAndAUnit) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.00 kB");
  EXPECT_EQ(bytes_text(24600000), "24.6 MB");
  EXPECT_EQ(bytes_text(102100000), "102 MB");
  EXPECT_EQ(bytes_text(999999), "1.00 MB");
}

TEST(CountText, NamesThousandsByPrefix) {
  EXPECT_EQ(count_text(950), "950");
  EXPECT_EQ(count_text(3857973248), "3.86 G");
  EXPECT_EQ(count_text(9996), "10.0 k");
}

TEST(DbText, TellsExactFromUnknown) {
  EXPECT_EQ(db_text(27.34), "27.3 dB");
  EXPECT_EQ(db_text(200.0), "exact");
  EXPECT_EQ(db_text(std::nullopt), "-");
  EXPECT_EQ(db_text(std::numeric_limits<double>::quiet_NaN()), "-");
}

TEST(PercentText, HasNoAnswerWithoutAWhole) {
  EXPECT_EQ(percent_text(1, 4), "25.0%");
  EXPECT_EQ(percent_text(1, 0), "-");
}

TEST(SecondsText, TurnsToMinutesAndHours) {
  EXPECT_EQ(seconds_text(0.421), "0.42 s");
  EXPECT_EQ(seconds_text(12.14), "12.1 s");
  EXPECT_EQ(seconds_text(59.96), "1 min 00 s");
  EXPECT_EQ(seconds_text(200.0), "3 min 20 s");
  EXPECT_EQ(seconds_text(7500.0), "2 h 05 min");
}

TEST(HtmlText, LeavesNoMarkup) {
  EXPECT_EQ(html_text("<a href=\"x\">'&\x01</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&lt;/a&gt;");
}

}  // namespace
}  // namespace ocs
