#include "ocs/data/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(ReadLabels, SplitsAtTheLastSpace) {
  const TempFolder folder;
  const LabelTable table =
      read_labels(folder.write("l.txt", std::string("a.png 3\r\n\n my cat.png\t 12 \nb 0")));
  ASSERT_EQ(table.by_name.size(), 3U);
  EXPECT_EQ(table.by_name.at("my cat.png").at(0).label, 12);
  EXPECT_EQ(table.by_name.at("my cat.png").at(0).line, 3U);
  EXPECT_TRUE(read_labels("").empty());
}

TEST(ReadLabels, NamesFileAndLine) {
  const TempFolder folder;
  const auto reading = [&](const std::string& text) {
    const auto file = folder.write("l.txt", text);
    return [file] { (void)read_labels(file); };
  };
  const std::string file = (folder / "l.txt").string();
  EXPECT_THAT(
      reading("a 1\nb cat\n"),
      ThrowsMessage<Error>(file + ", line 2: 'cat' is not a label (a whole number from 0 on)"));
  EXPECT_THAT(reading("a -1"), ThrowsMessage<Error>(HasSubstr("line 1: '-1' is not a label")));
  EXPECT_THAT(reading("a 1.5"), ThrowsMessage<Error>(HasSubstr("'1.5' is not a label")));
  EXPECT_THAT(reading("a 99999999999"),
              ThrowsMessage<Error>(HasSubstr("'99999999999' is not a label")));
  EXPECT_THAT(reading("a.png"),
              ThrowsMessage<Error>(file + ", line 1: 'a.png' is not of the form `file label`"));
  EXPECT_THAT(reading("\n"), ThrowsMessage<Error>(file + ": holds no labels"));
  EXPECT_THAT([&] { (void)read_labels(folder / "none"); },
              ThrowsMessage<Error>((folder / "none").string() + ": the labels cannot be read"));
}

LabelTable table_of(const std::vector<std::pair<std::string, int>>& lines) {
  LabelTable table{.file = "l.txt"};
  std::size_t number = 0;
  for (const auto& [name, label] : lines)
    table.by_name[name].push_back({.label = label, .line = ++number});
  return table;
}

TEST(MatchLabels, GivesEachFileItsLabels) {
  EXPECT_THAT(match_labels(table_of({{"b", 1}, {"a", 2}, {"b", 3}}),
                           {{.name = "a"}, {.name = "b", .items = 2}}),
              ElementsAre(ElementsAre(2), ElementsAre(1, 3)));
  EXPECT_TRUE(match_labels({}, {{.name = "a"}}).empty());
}

TEST(MatchLabels, LeavesFilesAloneWhoseItemsAreNotKnown) {
  EXPECT_THAT(match_labels(table_of({{"a", 1}, {"bad", 2}, {"bad", 3}}),
                           {{.name = "a"}, {.name = "bad", .items = std::nullopt}}),
              ElementsAre(ElementsAre(1)));
}

TEST(MatchLabels, NamesWhatDoesNotMatch) {
  const auto matching = [](const std::vector<std::pair<std::string, int>>& lines) {
    return [lines] {
      (void)match_labels(table_of(lines), {{.name = "cat.png"}, {.name = "x.npy", .items = 2}});
    };
  };
  EXPECT_THAT(matching({{"x.npy", 1}, {"x.npy", 1}}),
              ThrowsMessage<Error>("l.txt: no label for 'cat.png'"));
  EXPECT_THAT(
      matching({{"cat.png", 1}, {"cat.pgn", 1}}),
      ThrowsMessage<Error>("l.txt, line 2: there is no file 'cat.pgn' (did you mean 'cat.png'?)"));
  EXPECT_THAT(matching({{"cat.png", 1}, {"cat.png", 2}}),
              ThrowsMessage<Error>("l.txt, line 2: 'cat.png' has a label already (line 1)"));
  EXPECT_THAT(matching({{"cat.png", 1}, {"x.npy", 2}}),
              ThrowsMessage<Error>("l.txt, line 2: 'x.npy' holds 2 items and has 1 labels"));
}

}  // namespace
}  // namespace ocs
