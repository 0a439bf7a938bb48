#include "ocs/sweep/table.h"

#include <gtest/gtest.h>

namespace ocs {
namespace {

SweepSpec spec_of_two() {
  return {.title = "Clips",
          .text = "What clips do.",
          .rows = {{.name = "4 bits"}, {.name = "a|b"}},
          .columns = {{.name = "none"}, {.name = "best", .best_of = {"none"}}},
          .has_columns = true};
}

SweepResult result_of_two() {
  SweepResult result{.reference = {.items = 10.0, .top1 = 80.0}, .leading = find_figure("top1")};
  result.cells = {
      {{.result = {.top1 = 70.125, .weights = 1.0}}, {.result = {.top1 = 71.0}, .best = "none"}},
      {{.result = {.row = "x", .top1 = 60.0}}, {.result = {}, .best = "none"}}};
  return result;
}

TEST(SweepTable, HasTheGrid) {
  EXPECT_EQ(to_markdown(spec_of_two(), result_of_two(), nullptr), R"(## Clips

What clips do.

Float: top-1 80.00 (10 evaluated).

|  | none | best |
|---|---:|---:|
| 4 bits | 70.12 | 71.00 (none) |
| a\|b | 60.00 | - (none) |
)");
}

TEST(SweepTable, HasAGridForEachFigure) {
  SweepSpec spec = spec_of_two();
  spec.figures = {"top1", "weights"};
  const std::string text = to_markdown(spec, result_of_two(), nullptr);
  EXPECT_NE(text.find("\nweights, relative:\n\n|  | none | best |\n|---|---:|---:|\n| 4 bits | "
                      "1.000 | - (none) |"),
            std::string::npos)
      << text;
}

TEST(SweepTable, HasAColumnForEachFigureWithoutColumns) {
  SweepSpec spec = spec_of_two();
  spec.columns.resize(1);
  spec.has_columns = false;
  EXPECT_EQ(to_markdown(spec, result_of_two(), nullptr), R"(## Clips

What clips do.

Float: top-1 80.00 (10 evaluated).

|  | top-1 | SQNR (dB) | weights, relative | MACs, relative |
|---|---:|---:|---:|---:|
| 4 bits | 70.12 | - | 1.000 | - |
| a\|b | 60.00 | - | - | - |
)");
}

TEST(SweepTable, IsCsvWithAllFigures) {
  EXPECT_EQ(
      to_csv(spec_of_two(), result_of_two()),
      "row,column,best,top1,top5,perplexity,sqnr_db,agreement,weights,activations,macs,megabytes,"
      "items,quantize_seconds,evaluate_seconds\n"
      "\"float\",\"\",\"\",80,,,,,,,,,10,,\n"
      "\"4 bits\",\"none\",\"\",70.125,,,,,1,,,,,,\n"
      "\"4 bits\",\"best\",\"none\",71,,,,,,,,,,,\n"
      "\"a|b\",\"none\",\"\",60,,,,,,,,,,,\n"
      "\"a|b\",\"best\",\"none\",,,,,,,,,,,,\n");
}

TEST(SweepTable, IsJsonWithTheNamesOfTheSweep) {
  const Json json = to_json(spec_of_two(), result_of_two());
  EXPECT_EQ(json["points"].size(), 4U);
  EXPECT_EQ(json["points"][2]["row"], "a|b");
  EXPECT_EQ(json["points"][1]["best"], "none");
  EXPECT_EQ(json["float"]["top1"], 80.0);
}

}  // namespace
}  // namespace ocs
