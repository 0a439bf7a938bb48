#include "ocs/core/shard.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Samples numbered(std::size_t count) {
  return {.count = count, .load = [](std::size_t i) { return Sample{.name = std::to_string(i)}; }};
}

std::vector<std::string> names_of(const Samples& samples) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < samples.count; ++i) names.push_back(samples.load(i).name);
  return names;
}

TEST(ParseShard, ReadsBothNumbers) {
  EXPECT_EQ(parse_shard("2/4"), (Shard{.index = 2, .count = 4}));
  EXPECT_EQ(to_text(parse_shard("12/12")), "12/12");
}

TEST(ParseShard, RefusesWhatIsNone) {
  for (const char* text :
       {"", "3", "0/2", "3/2", "0/0", "1/", "/2", "-1/2", "1/2/3", "a/b", "1 /2"})
    EXPECT_THROW((void)parse_shard(text), Error) << text;
  EXPECT_THAT([] { (void)parse_shard("3/2"); },
              ThrowsMessage<Error>(HasSubstr("'3/2' is no shard")));
}

TEST(PartOf, TakesEveryNthSample) {
  EXPECT_THAT(names_of(part_of(numbered(5), {.index = 1, .count = 2})), ElementsAre("0", "2", "4"));
  EXPECT_THAT(names_of(part_of(numbered(5), {.index = 2, .count = 2})), ElementsAre("1", "3"));
  EXPECT_THAT(names_of(part_of(numbered(2), {})), ElementsAre("0", "1"));
}

// Each sample is in one shard and in no other, and `holds` says in which.
TEST(PartOf, CutsWithoutGapAndOverlap) {
  for (std::size_t total = 1; total <= 12; ++total) {
    for (std::size_t count = 1; count <= total; ++count) {
      std::vector<int> seen(total, 0);
      for (std::size_t index = 1; index <= count; ++index) {
        const Shard shard{.index = index, .count = count};
        for (const std::string& name : names_of(part_of(numbered(total), shard))) {
          ++seen[std::stoul(name)];
          EXPECT_TRUE(shard.holds(std::stoul(name))) << name << " in " << to_text(shard);
        }
      }
      EXPECT_EQ(seen, std::vector<int>(total, 1)) << total << " in " << count;
    }
  }
}

TEST(PartOf, RefusesAnEmptyPart) {
  EXPECT_THAT([] { (void)part_of(numbered(2), {.index = 3, .count = 4}); },
              ThrowsMessage<Error>(HasSubstr("shard 3/4 of 2 samples is empty")));
}

}  // namespace
}  // namespace ocs
