#include "ocs/sweep/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/folder.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

SweepSpec spec_of(const std::string& text) {
  const TestFolder folder;
  write_bytes(folder / "s.json", text);
  return read_sweep_spec(folder / "s.json");
}

TEST(SweepSpec, PutsRowBestAndColumnOnTopOfEachOther) {
  const SweepSpec spec = spec_of(R"({
      "recipe": {"base": "paper", "weight_bits": 7, "expand_ratio": 0.5}, "count": 9, "batch": 2,
      "rows": [{"name": "a", "weight_bits": 6, "count": 5}],
      "columns": [{"name": "kl", "weight_clip": "kl", "expand_ratio": 0.1},
                  {"name": "b", "best_of": ["kl"], "expand_ratio": 0.2, "batch": 4}]})");
  const Recipe kl = recipe_of_cell(spec, spec.rows[0], spec.columns[0], nullptr);
  EXPECT_EQ(kl.weight_bits, 6);
  EXPECT_EQ(kl.expand_ratio, 0.1);
  EXPECT_TRUE(kl.first_float);  // of the base
  const Recipe best = recipe_of_cell(spec, spec.rows[0], spec.columns[1], &spec.columns[0]);
  EXPECT_EQ(best.weight_clip, kl.weight_clip);
  EXPECT_EQ(best.expand_ratio, 0.2);
  EXPECT_EQ(cut_of_cell(spec, spec.rows[0], spec.columns[1]),
            (EvaluationCut{.count = 5, .batch = 4}));
}

TEST(SweepSpec, LetsRowsAndColumnsStartFromBasesOfTheirOwn) {
  const SweepSpec spec = spec_of(R"({
      "recipe": {"measure_count": 7}, "rows": [{"name": "a", "weight_bits": 6}],
      "columns": [{"name": "int8"}, {"name": "paper", "base": "paper"},
                  {"name": "best", "base": "best"}]})");
  const auto recipe = [&](std::size_t column) {
    return recipe_of_cell(spec, spec.rows[0], spec.columns[column], nullptr);
  };
  EXPECT_FALSE(recipe(0).first_float);
  EXPECT_TRUE(recipe(1).first_float);
  EXPECT_EQ(recipe(2).mac_budget, 0.02);
  for (std::size_t column = 0; column < 3; ++column) {
    EXPECT_EQ(recipe(column).weight_bits, 6);
    EXPECT_EQ(recipe(column).measure_count, 7U);
  }
}

TEST(SweepSpec, TakesPathsFromItsFolder) {
  const TestFolder folder;
  write_bytes(folder / "s.json",
              R"({"model": "m/net.onnx", "data": "/data", "rows": [{"name": "a"}]})");
  const SweepSpec spec = read_sweep_spec(folder / "s.json");
  EXPECT_EQ(spec.model, folder / "m/net.onnx");
  EXPECT_EQ(spec.data, "/data");
  EXPECT_EQ(spec.calib, "");
  EXPECT_EQ(read_sweep_spec(folder / "s.json", "/root").model, "/root/m/net.onnx");
  EXPECT_EQ(spec.title, "s");
  EXPECT_FALSE(spec.has_columns);
  ASSERT_EQ(spec.columns.size(), 1U);
  EXPECT_EQ(cell_name(spec.rows[0], spec.columns[0]), "a");
}

void expect_refused(const std::string& text, const std::string& message) {
  EXPECT_THAT([&] { (void)spec_of(text); },
              ThrowsMessage<Error>(testing::AllOf(HasSubstr("s.json: "), HasSubstr(message))))
      << text;
}

TEST(SweepSpec, SaysWhatIsWrong) {
  expect_refused("{", "not valid JSON");
  expect_refused("{}", "no 'rows'");
  expect_refused(R"({"rows": []})", "'rows' is no list of objects: []");
  expect_refused(R"({"row": []})", "unknown key 'row' (did you mean 'rows'?)");
  expect_refused(R"({"rows": [{"name": "a"}, {"weight_bits": 4}]})", "rows[1]: has no 'name'");
  expect_refused(R"({"rows": [{"name": "a", "weight_bit": 4}]})",
                 "rows[0]: unknown key 'weight_bit' (did you mean 'weight_bits'?)");
  expect_refused(R"({"rows": [{"name": "a", "best_of": ["a"]}]})", "unknown key 'best_of'");
  expect_refused(R"({"rows": [{"name": "a"}, {"name": "a"}]})",
                 "rows[1]: the name 'a' is there twice");
  expect_refused(R"({"rows": [{"name": "a", "count": -1}]})",
                 "rows[0]: 'count' is no whole number of at least 0: -1");
  expect_refused(R"({"rows": [{"name": "a", "weight_bits": 9}]})",
                 "a: weight_bits: 9 is not in 2..8");
  expect_refused(R"({"recipe": "papre", "rows": [{"name": "a"}]})",
                 "recipe: no recipe named 'papre' (did you mean 'paper'?)");
  expect_refused(R"({"figures": ["top2"], "rows": [{"name": "a"}]})", "figures: 'top2' is none");
  expect_refused(
      R"({"rows": [{"name": "a"}], "columns": [{"name": "kl"}, {"name": "b", "best_of": ["k"]}]})",
      "column 'b', best_of: no column named 'k' (did you mean 'kl'?)");
  expect_refused(R"({"rows": [{"name": "a"}], "columns": [{"name": "b", "best_of": ["b"]}]})",
                 "column 'b', best_of: 'b' has a best_of itself");
}

}  // namespace
}  // namespace ocs
