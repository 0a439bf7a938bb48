#include "ocs/sweep/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/folder.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const Json head{{"journal", 1}, {"model", "aa"}};

PointResult point(const std::string& key, double top1) {
  return {.key = key,
          .row = "4 \"bits\"",
          .recipe = {{"weight_bits", 4}},
          .top1 = top1,
          .quantize_seconds = 0.1};
}

class JournalTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "journal.jsonl"; }
  void fill() const {
    Journal journal(file(), head);
    journal.add(point("k1", 71.25));
    journal.add(point("k2", 1.0 / 3.0));
  }
  TestFolder folder_;
};

TEST_F(JournalTest, GivesBackWhatWasAdded) {
  fill();
  const Journal journal(file(), head);
  EXPECT_FALSE(journal.was_cut());
  ASSERT_NE(journal.find("k1"), nullptr);
  EXPECT_EQ(*journal.find("k1"), point("k1", 71.25));
  EXPECT_EQ(*journal.find("k2"), point("k2", 1.0 / 3.0));
  EXPECT_EQ(journal.find("k3"), nullptr);
}

// Wherever the writing program was killed: the whole lines stay, and the journal can be gone on with.
TEST_F(JournalTest, LosesNothingButTheLineThatWasCut) {
  fill();
  const std::string whole = bytes_of(file());
  const std::size_t first = whole.find('\n') + 1;
  const std::size_t second = whole.find('\n', first) + 1;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_bytes(file(), whole.substr(0, size));
    {
      Journal journal(file(), head);
      EXPECT_EQ(journal.was_cut(), size != 0 && size != first && size != second) << size;
      EXPECT_EQ(journal.find("k1") != nullptr, size >= second) << size;
      EXPECT_EQ(journal.find("k2"), nullptr) << size;
      journal.add(point("k2", 2.0));
    }
    const Journal again(file(), head);
    EXPECT_FALSE(again.was_cut()) << size;
    ASSERT_NE(again.find("k2"), nullptr) << size;
  }
}

TEST_F(JournalTest, RefusesThatOfAnotherModel) {
  fill();
  const std::string before = bytes_of(file());
  EXPECT_THAT(
      [&] {
        Journal(file(), {{"journal", 1}, {"model", "bb"}});
      },
      ThrowsMessage<Error>(HasSubstr("journal.jsonl: holds points of another model "
                                     "(\"aa\", now \"bb\"): use another folder")));
  EXPECT_THAT(
      [&] {
        Journal(file(), {{"engine", "1"}});
      },
      ThrowsMessage<Error>(HasSubstr("line 1 has no 'engine'")));
  EXPECT_EQ(bytes_of(file()), before);
}

TEST_F(JournalTest, NamesABrokenLine) {
  fill();
  const std::string whole = bytes_of(file());
  const auto refuse = [&](const std::string& line, const std::string& message) {
    write_bytes(file(), head.dump() + "\n" + line + "\n");
    EXPECT_THAT([&] { Journal(file(), head); }, ThrowsMessage<Error>(HasSubstr(message))) << line;
  };
  refuse("{\"key\": ", "journal.jsonl: line 2: not valid JSON");
  refuse("{}", "line 2: has no 'key'");
  refuse(R"({"key": "a", "top3": 1})", "line 2: unknown key 'top3' (did you mean 'top1'?)");
  refuse(R"({"key": "a", "top1": "x"})", "line 2: 'top1' has a value of the wrong type");
  write_bytes(file(), "no head\n");
  EXPECT_THAT([&] { Journal(file(), head); },
              ThrowsMessage<Error>(HasSubstr("line 1: not valid JSON")));
}

TEST_F(JournalTest, IsOfOneSweepAtATime) {
  const Journal journal(file(), head);
  EXPECT_THAT([&] { Journal(file(), head); },
              ThrowsMessage<Error>(HasSubstr("another sweep is writing to it")));
}

TEST_F(JournalTest, NeedsAFolder) {
  EXPECT_THAT([&] { Journal(folder_ / "no/journal.jsonl", head); },
              ThrowsMessage<Error>(HasSubstr("cannot be written: No such file")));
}

}  // namespace
}  // namespace ocs
