#include "ocs/calibrate/stats_origin.h"

#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibrate/values.h"
#include "ocs/calibrate/stats.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using values::message_of;

StatsOrigin shard_of(std::size_t index, std::size_t count, const std::string& data = "pictures") {
  return {.model = "0123456789abcdef",
          .version = "0.1.0",
          .build = "b1",
          .recipe = {{"fold_batchnorm", "true"}},
          .data = {{data, {.samples = 10, .shards = count, .held = {index}}}}};
}

StatsOrigin merged(const std::vector<StatsOrigin>& parts) {
  StatsOrigin whole = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) merge(whole, parts[i]);
  return whole;
}

TEST(MergeOrigins, MakesOfAllShardsTheOriginOfDataThatWereNeverCut) {
  const StatsOrigin whole = shard_of(1, 1);
  EXPECT_EQ(merged({shard_of(1, 3), shard_of(2, 3), shard_of(3, 3)}), whole);
  EXPECT_EQ(merged({shard_of(3, 3), shard_of(1, 3), shard_of(2, 3)}), whole);
  StatsOrigin tail = merged({shard_of(2, 3), shard_of(3, 3)});
  merge(tail, shard_of(1, 3));
  EXPECT_EQ(tail, whole);
}

TEST(MergeOrigins, TakesOtherDataBesides) {
  const StatsOrigin both = merged({shard_of(1, 2, "a"), shard_of(1, 1, "b"), shard_of(2, 2, "a")});
  EXPECT_EQ(both.data.size(), 2U);
  EXPECT_NO_THROW(require_whole(both));
}

struct Mismatch {
  const char* name;
  std::function<void(StatsOrigin&)> change;
  const char* message;
};

class Misfits : public testing::TestWithParam<Mismatch> {};

TEST_P(Misfits, AreRefused) {
  StatsOrigin part = shard_of(2, 2);
  GetParam().change(part);
  StatsOrigin whole = shard_of(1, 2);
  EXPECT_THAT(message_of([&] { merge(whole, part); }), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Origins, Misfits,
    testing::Values(
        Mismatch{"Model", [](StatsOrigin& part) { part.model = "fedcba9876543210"; },
                 "was collected from another model (fedcba987654, before 0123456789ab)"},
        Mismatch{"Version", [](StatsOrigin& part) { part.version = "0.2.0"; },
                 "was collected by another version of ocs (0.2.0, before 0.1.0)"},
        Mismatch{"Build", [](StatsOrigin& part) { part.build = "b2"; },
                 "was collected by another build of ocs (b2, before b1)"},
        Mismatch{"Recipe", [](StatsOrigin& part) { part.recipe["fold_batchnorm"] = "false"; },
                 "another recipe: fold_batchnorm is false, not true"},
        Mismatch{"Keys", [](StatsOrigin& part) { part.recipe["more"] = "1"; }, "has other keys"},
        Mismatch{"SameShard", [](StatsOrigin& part) { part.data["pictures"].held = {1}; },
                 "holds shard 1/2, which is in a part before"},
        Mismatch{
            "OtherCut", [](StatsOrigin& part) { part.data["pictures"].shards = 4; },
            "holds one of 4 shards of the same data of which another part holds one of 2 shards"},
        Mismatch{"Whole", [](StatsOrigin& part) { part.data = shard_of(1, 1).data; },
                 "holds the whole of the same data of which another part holds one of 2 shards"},
        Mismatch{"Count", [](StatsOrigin& part) { part.data["pictures"].samples = 12; },
                 "holds a part of 12 samples, the parts before of 10"}),
    [](const auto& instance) { return instance.param.name; });

TEST(MergeOrigins, RefusesTheSameDataTwice) {
  StatsOrigin whole = shard_of(1, 1);
  EXPECT_THAT(message_of([&] { merge(whole, shard_of(1, 1)); }),
              HasSubstr("holds the same data as a part before"));
}

TEST(RequireWhole, NamesWhatIsMissing) {
  EXPECT_NO_THROW(require_whole(shard_of(1, 1)));
  EXPECT_EQ(message_of([] {
              require_whole(merged({shard_of(2, 3), shard_of(1, 3)}));
            }),
            "shard 3/3 of the data is missing");
  EXPECT_EQ(message_of([] { require_whole(shard_of(2, 3)); }),
            "shard 1/3, 3/3 of the data are missing");
}

TEST(RequireFit, LooksAtTheModelAlone) {
  const StatsOrigin origin = shard_of(1, 1);
  EXPECT_NO_THROW(require_fit(origin, origin.model));
  EXPECT_THAT(message_of([&] { require_fit(origin, "other"); }),
              HasSubstr("was collected from another model"));
}

TEST(OriginJson, IsReadAsItWasWritten) {
  for (const StatsOrigin& origin :
       {shard_of(1, 1), shard_of(3, 4), merged({shard_of(1, 4), shard_of(3, 4, "other")})})
    EXPECT_EQ(origin_from_json(parse_json(to_json(origin).dump(), "text")), origin);
}

TEST(OriginJson, NamesWhatIsBroken) {
  Json json = to_json(shard_of(2, 4));
  json["data"][0]["held"][0] = 5;
  EXPECT_THAT(message_of([&] { (void)origin_from_json(json); }),
              HasSubstr("'held': there is no shard 5 of 4"));
  json["data"][0]["held"][0] = -1;
  EXPECT_THAT(message_of([&] { (void)origin_from_json(json); }), HasSubstr("from 1 on, found -1"));
  json.erase("build");
  EXPECT_EQ(message_of([&] { (void)origin_from_json(json); }), "'build' is missing");
}

TEST(MergeStats, AsksForOriginsOnBothSidesOrNone) {
  CalibrationStats with;
  with.origin = shard_of(1, 2);
  CalibrationStats without;
  EXPECT_THAT(message_of([&] { merge(with, without); }),
              HasSubstr("only one part of the statistics says where it was collected"));
  CalibrationStats other;
  other.origin = shard_of(2, 2);
  merge(with, other);
  EXPECT_EQ(with.origin, shard_of(1, 1));
}

}  // namespace
}  // namespace ocs
