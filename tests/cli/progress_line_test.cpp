#include "cli/progress_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// A clock that the test turns, and everything that was written.
struct Stage {
  double now = 0.0;
  std::vector<std::string> written{};

  ProgressLine line(bool is_terminal) {
    return {[this](std::string_view text) { written.emplace_back(text); }, is_terminal,
            [this] { return now; }};
  }
};

TEST(ProgressText, EstimatesTheTimeLeft) {
  EXPECT_EQ(progress_text("calibrate", 0, 512, 0.0), "calibrate 0/512");
  EXPECT_EQ(progress_text("calibrate", 128, 512, 4.0), "calibrate 128/512, about 12.0 s left");
  EXPECT_EQ(progress_text("calibrate", 512, 512, 16.0), "calibrate 512/512, 16.0 s");
}

TEST(ProgressLine, RewritesOneLineOnATerminalAtMostTenTimesASecond) {
  Stage stage;
  {
    ProgressLine line = stage.line(true);
    for (std::size_t i = 0; i < 1000; ++i, stage.now += 0.001) line.show("work", i, 1000);
    EXPECT_THAT(stage.written, SizeIs(testing::AllOf(testing::Ge(9U), testing::Le(11U))));
    line.show("work", 1000, 1000);
  }
  for (const std::string& text : stage.written) {
    EXPECT_THAT(text, HasSubstr("\r"));
    EXPECT_THAT(text, Not(HasSubstr("\n")));
  }
  EXPECT_EQ(stage.written.back(), "\r\x1b[K") << "the line is cleared in the end";
}

TEST(ProgressLine, WritesNothingElsewhereForShortWork) {
  Stage stage;
  ProgressLine line = stage.line(false);
  for (std::size_t i = 0; i <= 1000; ++i, stage.now += 0.0005) line.show("work", i, 1000);
  EXPECT_THAT(stage.written, IsEmpty());
}

TEST(ProgressLine, WritesALineEveryTenSecondsElsewhere) {
  Stage stage;
  ProgressLine line = stage.line(false);
  for (std::size_t i = 0; i <= 350; ++i) {
    stage.now = static_cast<double>(i) / 10.0;
    line.show("work", i, 350);
  }
  // After 10, 20 and 30 of 35 seconds, and at the end.
  ASSERT_THAT(stage.written, SizeIs(4));
  EXPECT_THAT(stage.written[0], testing::StartsWith("work 100/350, about 25.0 s left\n"));
  EXPECT_EQ(stage.written[3], "work 350/350, 35.0 s\n");
}

TEST(ProgressLine, StartsAnewWithTheNextStep) {
  Stage stage;
  ProgressLine line = stage.line(true);
  line.show("first", 1, 2);
  stage.now = 100.0;
  line.show("second", 1, 4);
  stage.now = 101.0;
  line.show("second", 2, 4);
  EXPECT_THAT(stage.written.back(), HasSubstr("second 2/4, about 1.00 s left"));
}

}  // namespace
}  // namespace ocs::cli
