#include "ocs/sweep/merge_journals.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/sweep/journal.h"
#include "support/folder.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

PointResult point(const std::string& key, double top1, double seconds = 0.1) {
  return {.key = key, .row = "r", .build = "b1", .top1 = top1, .quantize_seconds = seconds};
}

class MergeJournals : public testing::Test {
 protected:
  // A folder with a journal; `shard` "" for a whole sweep.
  fs::path make(const std::string& name, const std::string& shard,
                const std::vector<PointResult>& points, const std::string& model = "aa") const {
    const fs::path folder = folder_ / name;
    fs::create_directory(folder);
    Json head{{"journal", 2}, {"model", model}};
    if (!shard.empty()) head["shard"] = shard;
    Journal journal(folder / "journal.jsonl", head);
    for (const PointResult& each : points) journal.add(each);
    return folder;
  }
  [[nodiscard]] fs::path output() const {
    fs::create_directory(folder_ / "all");
    return folder_ / "all";
  }
  void expect_refused(const std::vector<fs::path>& parts, const std::string& message) const {
    const fs::path folder = output();
    EXPECT_THAT([&] { (void)merge_journals(parts, folder); },
                ThrowsMessage<Error>(HasSubstr(message)));
    EXPECT_TRUE(fs::is_empty(folder));
  }
  TestFolder folder_;
};

TEST_F(MergeJournals, HoldAllPointsWhateverTheOrder) {
  const fs::path one = make("one", "1/2", {point("k3", 1), point("k1", 2)});
  const fs::path two = make("two", "2/2", {point("k2", 3)});
  write_bytes(one / "stats-1.json", "statistics");
  write_bytes(two / "stats-1.json", "statistics");
  EXPECT_EQ(merge_journals({one, two}, output()), 3U);
  const std::string merged = bytes_of(folder_ / "all/journal.jsonl");
  fs::create_directory(folder_ / "other");
  EXPECT_EQ(merge_journals({two, one}, folder_ / "other"), 3U);
  EXPECT_EQ(bytes_of(folder_ / "other/journal.jsonl"), merged);
  EXPECT_EQ(bytes_of(folder_ / "all/stats-1.json"), "statistics");

  const Journal journal(folder_ / "all/journal.jsonl", {{"journal", 2}, {"model", "aa"}});
  EXPECT_EQ(*journal.find("k2"), point("k2", 3));
  EXPECT_FALSE(journal.was_cut());
}

TEST_F(MergeJournals, TakeAPointOfSeveralOnce) {
  const fs::path one = make("one", "", {point("k1", 2)});
  const fs::path two = make("two", "", {point("k1", 2, 0.7), point("k2", 5)});
  EXPECT_EQ(merge_journals({one, two}, output()), 2U);
}

TEST_F(MergeJournals, LeaveOutALineThatWasCut) {
  const fs::path one = make("one", "1/1", {point("k1", 2), point("k2", 2)});
  const std::string text = bytes_of(one / "journal.jsonl");
  write_bytes(one / "journal.jsonl", text.substr(0, text.size() - 4));
  EXPECT_EQ(merge_journals({one}, output()), 1U);
}

TEST_F(MergeJournals, NameTheFolderThatDoesNotFit) {
  const fs::path one = make("one", "1/3", {point("k1", 2)});
  const fs::path again = make("again", "1/3", {point("k4", 2)});
  const fs::path two = make("two", "2/3", {point("k2", 3)});
  const fs::path halves = make("halves", "2/2", {point("k2", 3)});
  const fs::path other = make("other", "3/3", {point("k3", 3)}, "bb");
  expect_refused({one, two}, "shard 3/3 of the sweep is missing");
  expect_refused({one}, "shard 2/3, 3/3 of the sweep are missing");
  expect_refused({one, again}, "again: is shard 1/3, which is there already");
  expect_refused({one, halves}, "halves: is shard 2/2, those before are of 3");
  expect_refused({one, two, other}, "other: holds points of another model or program");
  expect_refused({one, folder_ / "nowhere"}, "nowhere/journal.jsonl: no such file");
  expect_refused({make("whole", "", {}), one}, "one: is shard 1/3, those before are of 1");
}

TEST_F(MergeJournals, RefuseResultsThatContradict) {
  const fs::path one = make("one", "1/2", {point("k1", 2)});
  expect_refused({one, make("two", "2/2", {point("k1", 2.5)})},
                 "two: the point 'r' came out otherwise before");
  PointResult of_other_build = point("k2", 2);
  of_other_build.build = "b2";
  expect_refused({one, make("three", "2/2", {of_other_build})},
                 "three: holds points of another build of ocs (b2, before b1)");
}

TEST_F(MergeJournals, DoNotOverwriteASweep) {
  const fs::path one = make("one", "1/1", {point("k1", 2)});
  const std::string before = bytes_of(one / "journal.jsonl");
  EXPECT_THAT([&] { (void)merge_journals({one}, one); },
              ThrowsMessage<Error>(HasSubstr("one: holds a sweep already")));
  EXPECT_EQ(bytes_of(one / "journal.jsonl"), before);
}

}  // namespace
}  // namespace ocs
