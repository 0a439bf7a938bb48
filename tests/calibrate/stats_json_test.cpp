#include "ocs/calibrate/stats_json.h"

#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "calibrate/values.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using values::message_of;

TensorStats tensor_of(std::vector<float> values) {
  TensorStats stats;
  stats.shape = {1, static_cast<std::int64_t>(values.size())};
  stats.histogram.add(values);
  return stats;
}

CalibrationStats some_stats() {
  CalibrationStats stats;
  stats.origin = {.model = "m", .data = {{"d", {.samples = 3, .shards = 2, .held = {2}}}}};
  stats.samples = 12;
  stats.synthetic = true;
  stats.tensors["relu"] = tensor_of(values::activations(1, 5'000, true));
  stats.tensors["wide"] = tensor_of({1e-40F, -3e38F, 0.1F});
  stats.tensors["name with \"quotes\" \xC3\xA9"] = tensor_of({0.0F, 0.0F});
  stats.tensors["nothing"];
  stats.tensors["scalar"].histogram.add(std::vector<float>{0.3F});
  stats.tensors["range"].shape = {-1, 4};
  stats.tensors["range"].histogram.add_range(std::vector<float>{0.25F, -1.0F});
  TensorStats& channels = stats.tensors["channels"];
  channels.shape = {1, 2, 2};
  const std::vector<float> values{1.5F, -2e10F, 1e-9F, 3.0F};
  channels.histogram.add(values);
  channels.moments[1].add(values, 1, 2, 2);
  channels.moments[2].add(values, 2, 2, 1);
  return stats;
}

TEST(StatsJson, ReadsWhatItWroteToTheLastBit) {
  const CalibrationStats stats = some_stats();
  EXPECT_EQ(stats_from_json(to_json(stats), "stats.json"), stats);
  EXPECT_EQ(stats_from_json(parse_json(to_json(stats).dump(), "stats.json"), "stats.json"), stats);
}

TEST(StatsJson, ReadsItsFileToTheLastBit) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() /
                                     ("ocs_stats_" + std::to_string(::getpid()) + ".json");
  for (const CalibrationStats& stats : {some_stats(), CalibrationStats()}) {
    write_stats(stats, file);
    EXPECT_EQ(read_stats(file), stats);
  }
  std::filesystem::remove(file);
}

TEST(StatsJson, IsReadable) {
  CalibrationStats stats;
  stats.samples = 1;
  stats.tensors["x"] = tensor_of({0.0F, 1.0F, 1.0F, 0.5F});
  stats.tensors["x"].moments[1].add(std::vector<float>{0.0F, 1.0F, 1.0F, 0.5F}, 1, 4, 1);
  EXPECT_EQ(
      to_json(stats).dump(),
      R"({"format":"ocs-statistics","version":1,"samples":1,"synthetic":false,"tensors":{"x":{"shape":[1,4],)"
      R"("histogram":{"count":4,"zeros":1,"min":0.0,"max":1.0,"exponent":-10,"bins":[[2560,1],[3072,2]]},)"
      R"("moments":{"1":{"count":1,"sums":["0","72057594037927936","72057594037927936","36028797018963968"],)"
      R"("squares":["0","72057594037927936","72057594037927936","18014398509481984"],"max_abs":[0.0,1.0,1.0,0.5]}}}}})");
}

// Each text replaces a part of a good file; the message must say what is wrong.
struct Damage {
  const char* from;
  const char* to;
  const char* message;
};

class BrokenStats : public testing::TestWithParam<Damage> {};

TEST_P(BrokenStats, AreRefusedWithTheField) {
  CalibrationStats stats;
  stats.samples = 1;
  stats.tensors["x"] = tensor_of({0.0F, 1.0F, 1.0F, 0.5F});
  stats.tensors["x"].moments[1].add(std::vector<float>{0.0F, 1.0F, 1.0F, 0.5F}, 1, 4, 1);
  std::string text = to_json(stats).dump();
  const std::size_t place = text.find(GetParam().from);
  ASSERT_NE(place, std::string::npos);
  text.replace(place, std::string(GetParam().from).size(), GetParam().to);
  EXPECT_THAT(message_of([&] { (void)stats_from_json(parse_json(text, "s.json"), "s.json"); }),
              HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BrokenStats,
    testing::Values(
        Damage{"ocs-statistics", "other", "s.json: is no file of statistics"},
        Damage{"\"version\":1", "\"version\":2",
               "s.json: has version 2, this program reads version 1"},
        Damage{"\"version\":1,", "", "s.json: 'version' is missing"},
        Damage{"\"samples\":1", "\"samples\":-1", "s.json: 'samples' is negative"},
        Damage{"\"samples\":1", "\"samples\":1.5", "s.json: 'samples': expected an integer"},
        Damage{"\"synthetic\":false", "\"synthetic\":3", "'synthetic'"},
        Damage{"\"tensors\"", "\"tensor\"", "s.json: unknown key 'tensor'"},
        Damage{"\"shape\":[1,4]", "\"shape\":[1,-4]",
               "s.json: tensor 'x': 'shape' holds a negative extent"},
        Damage{"\"shape\":[1,4]", "\"shape\":4", "s.json: tensor 'x': 'shape' must be an array"},
        Damage{"\"count\":4", "\"count\":5",
               "s.json: tensor 'x': histogram: 'count' is not the sum of zeros and bins"},
        Damage{"\"zeros\":1", "\"zeros\":18446744073709551615",
               "s.json: tensor 'x': histogram: 'zeros': 18446744073709551615 is too large"},
        Damage{"\"max\":1.0", "\"max\":1e300",
               "s.json: tensor 'x': histogram: 'max': 1e+300 is no float"},
        Damage{"\"max\":1.0", "\"max\":null",
               "s.json: tensor 'x': histogram: 'max': expected a number, found null"},
        Damage{"\"max\":1.0", "\"max\":2.0",
               "s.json: tensor 'x': histogram: the exponent does not fit the range"},
        Damage{"\"exponent\":-10", "\"exponent\":-9999999999",
               "s.json: tensor 'x': histogram: 'exponent' is out of range"},
        Damage{
            "[3072,2]", "[4095,2,1]",
            "s.json: tensor 'x': histogram: 'bins': a run of 2 counts from bin 4095 does not fit"},
        Damage{"[3072,2]", "[-1,2]",
               "s.json: tensor 'x': histogram: 'bins': a run of 1 counts from bin -1 does not fit"},
        Damage{"[3072,2]", "[4611686018427387904,2]", "does not fit"},
        Damage{"[3072,2]", "[3072]",
               "s.json: tensor 'x': histogram: 'bins': a run must be a bin followed by counts"},
        Damage{"[3072,2]", "[3072,\"2\"]",
               "s.json: tensor 'x': histogram: 'bins': expected an integer, found \"2\""},
        Damage{"\"moments\":{\"1\"", "\"moments\":{\"2\"",
               "s.json: tensor 'x': moments: '2' is no axis of the shape [1,4]"},
        Damage{"\"sums\":[\"0\"", "\"sums\":[\"0x\"",
               "s.json: tensor 'x': moments: 1: 'sums': '0x' is no integer"},
        Damage{"\"sums\":[\"0\"", "\"sums\":[\"\"", "'' is no integer"},
        Damage{"\"sums\":[\"0\"", "\"sums\":[0", "expected a text of digits, found 0"},
        Damage{"\"sums\":[\"0\"", "\"sums\":[\"170141183460469231731687303715884105728\"",
               "is too large"},
        Damage{"\"sums\":[\"0\",", "\"sums\":[", "sums, squares and max_abs differ in length"}));

TEST(StatsJson, HoldsTheLargestFixedPointNumbers) {
  using Fixed = ChannelMoments::Fixed;
  const Fixed quarter = Fixed{1} << 126;
  const Fixed largest = quarter - 1 + quarter;
  CalibrationStats stats;
  stats.tensors["x"].shape = {2};
  stats.tensors["x"].histogram = Histogram::from_range(2, 2, 0.0F, 0.0F);
  stats.tensors["x"].moments[0] =
      ChannelMoments::from_parts(1, {largest, -largest - 1}, {0, largest}, {0.0F, 0.0F});
  EXPECT_EQ(stats_from_json(to_json(stats), "stats.json"), stats);
}

TEST(ReadStats, NamesTheFile) {
  EXPECT_THAT(message_of([] { (void)read_stats("none.json"); }), StartsWith("none.json"));
}

}  // namespace
}  // namespace ocs
