#include "cli/text_table.h"

#include <gtest/gtest.h>

namespace ocs::cli {
namespace {

TEST(TextTable, AlignsColumns) {
  EXPECT_EQ(text_table({{"name"}, {"n", true}}, {{"a", "1"}, {"longer", "100"}}),
            "name      n\n"
            "a         1\n"
            "longer  100\n");
}

TEST(TextTable, CutsLongCellsAtTheFront) {
  EXPECT_EQ(text_table({{"x"}}, {{"model/layer1/conv"}}, 8), "x\n..1/conv\n");
}

TEST(TextTable, HasNoBlanksAtTheEndOfALine) {
  EXPECT_EQ(text_table({{"a"}, {"b"}}, {{"long", ""}}), "a     b\nlong\n");
}

}  // namespace
}  // namespace ocs::cli
