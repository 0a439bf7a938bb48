#include "ocs/sweep/published.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/folder.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class PublishedFigures : public testing::Test {
 protected:
  PublishedFigures() {
    spec_.rows = {{.name = "4 bits"}, {.name = "3 bits"}, {.name = "2 bits"}};
    spec_.columns = {{.name = "none"}, {.name = "kl"}, {.name = "ours"}};
    spec_.has_columns = true;
    spec_.published = {.file = folder_ / "p.json", .table = "t"};
    result_.leading = find_figure("top1");
    result_.reference.top1 = 80.0;
    result_.cells = {{{.result = {.top1 = 70.0}}, {.result = {.top1 = 79.98}}, {}},
                     {{.result = {.top1 = 10.0}}, {}, {}},
                     {{}, {}, {}}};
  }
  Published read(const std::string& table) {
    write_bytes(folder_ / "p.json", R"({"source": "They", "tables": {"t": )" + table + "}}");
    return read_published(spec_);
  }
  TestFolder folder_;
  SweepSpec spec_{};
  SweepResult result_{};
};

constexpr auto table = R"({"float": 76.0, "columns": ["kl", "none"],
    "rows": {"4 bits": [75.5, 66.25], "3 bits": [null, 76.5], "9 bits": [1, 2]}})";

TEST_F(PublishedFigures, StandBesideOursAsLosses) {
  EXPECT_EQ(published_markdown(spec_, result_, read(table)),
            R"(Loss of top-1 against float, here / published (float there 76.0):

|  | none | kl |
|---|---:|---:|
| 4 bits | 10.0 / 9.8 | 0.0 / 0.5 |
| 3 bits | 70.0 / -0.5 | - / - |
)");
}

TEST_F(PublishedFigures, StandBesideOursAsTheyAreWithoutAFloatFigure) {
  const Published published = read(R"({"columns": ["none"], "rows": {"3 bits": [12.5]}})");
  EXPECT_EQ(published_markdown(spec_, result_, published), R"(Here / published:

|  | none |
|---|---:|
| 3 bits | 10.0 / 12.5 |
)");
}

TEST_F(PublishedFigures, AreLossesWhereSmallerIsBetterToo) {
  result_.leading = find_figure("perplexity");
  result_.reference.perplexity = 160.0;
  result_.cells[0][0].result.perplexity = 172.5;
  EXPECT_THAT(published_markdown(
                  spec_, result_,
                  read(R"({"float": 95.0, "columns": ["none"], "rows": {"4 bits": [98.0]}})")),
              HasSubstr("| 12.5 / 3.0 |"));
}

TEST_F(PublishedFigures, AreFoundByFigureWithoutColumns) {
  spec_.columns.resize(1);
  spec_.has_columns = false;
  spec_.figures = {"weights", "macs"};
  result_.cells[1][0].result.weights = 1.0234;
  EXPECT_EQ(published_markdown(spec_, result_,
                               read(R"({"columns": ["weights"], "rows": {"3 bits": [1.02]}})")),
            R"(Here / published:

|  | weights, relative |
|---|---:|
| 3 bits | 1.023 / 1.020 |
)");
}

// A sweep may run some of the columns.
TEST_F(PublishedFigures, OfOtherColumnsPlayNoPart) {
  const Published published =
      read(R"({"columns": ["mse", "none"], "rows": {"3 bits": [1, 12.5]}})");
  EXPECT_THAT(published_markdown(spec_, result_, published), HasSubstr("| 3 bits | 10.0 / 12.5 |"));
}

TEST(Experiments, AreSweepsThatFitWhatWasPublished) {
  const std::filesystem::path folder = std::filesystem::path(OCS_SOURCE_DIR) / "experiments";
  std::size_t sweeps = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::filesystem::path& file = entry.path();
    if (file.extension() != ".json" || file.filename() == "paper.json") continue;
    ++sweeps;
    const SweepSpec spec = read_sweep_spec(file);
    if (!spec.published) continue;
    EXPECT_FALSE(read_published(spec).values.empty()) << file;
  }
  EXPECT_GE(sweeps, 18U);
}

TEST_F(PublishedFigures, SayWhatIsWrong) {
  const auto refused = [&](const std::string& text, const std::string& message) {
    EXPECT_THAT([&] { (void)read(text); },
                ThrowsMessage<Error>(testing::AllOf(HasSubstr("p.json: t: "), HasSubstr(message))))
        << text;
  };
  refused(R"({"column": []})", "unknown key 'column' (did you mean 'columns'?)");
  refused(R"({"columns": ["lk"]})",
          "has no column with the name of one of the sweep: 'lk' (did you mean 'kl'?)");
  refused(R"({"rows": {"5 bits": []}})", "has no row with the name of one of the sweep");
  refused(R"({"columns": ["kl"], "rows": {"3 bits": [1, 2]}})",
          "row '3 bits': is no list of 1 numbers");
  refused(R"({"columns": ["kl"], "rows": {"3 bits": ["x"]}})",
          "row '3 bits': has a value that is no number: \"x\"");
  spec_.published->table = "u";
  EXPECT_THAT([&] { (void)read(table); }, ThrowsMessage<Error>(HasSubstr("has no table 'u'")));
}

}  // namespace
}  // namespace ocs
