#include "cli/help_format.h"

#include <gtest/gtest.h>

namespace ocs::cli {
namespace {

TEST(Wrapped, BreaksBetweenWordsAndIndents) {
  EXPECT_EQ(wrapped("one two three four", 9, 2), "one two\n  three\n  four");
  EXPECT_EQ(wrapped("one  two", 80, 2), "one two");
  EXPECT_EQ(wrapped("", 10, 2), "");
}

TEST(Wrapped, LeavesALongWordWhole) {
  EXPECT_EQ(wrapped("a incomprehensibilities b", 5, 0), "a\nincomprehensibilities\nb");
}

}  // namespace
}  // namespace ocs::cli
