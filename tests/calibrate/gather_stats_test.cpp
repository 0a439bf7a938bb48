#include "ocs/calibrate/gather_stats.h"

#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibrate/values.h"
#include "ocs/calibrate/stats_json.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using values::message_of;

Samples numbered(std::size_t count) {
  return {.count = count, .load = [](std::size_t i) { return Sample{.name = std::to_string(i)}; }};
}

// One tensor whose values depend on which samples were seen.
CalibrationStats collect_numbers(const Samples& samples) {
  CalibrationStats stats;
  TensorStats& tensor = stats.tensors["x"];
  for (std::size_t i = 0; i < samples.count; ++i) {
    const std::vector<float> values =
        values::activations(std::stoul(samples.load(i).name) + 1, 24, false);
    include_shape(tensor, {1, 24});
    tensor.histogram.add(values);
    tensor.moments[1].add(values, 1, 24, 1);
    ++stats.samples;
  }
  return stats;
}

// What rank 0 makes of its part and the texts of the others, which are run one after the other.
std::optional<CalibrationStats> together(std::size_t size, const Samples& samples) {
  std::vector<std::string> texts(size);
  for (std::size_t rank = 1; rank < size; ++rank) {
    const Team team{.rank = rank, .size = size, .gather = [&, rank](const std::string& text) {
                      texts[rank] = text;
                      return std::vector<std::string>();
                    }};
    EXPECT_EQ(collect_together(team, samples, collect_numbers), std::nullopt);
  }
  const Team team{.size = size, .gather = [&](const std::string&) { return texts; }};
  return collect_together(team, samples, collect_numbers);
}

TEST(CollectTogether, IsWhatOneProcessCollects) {
  const Samples samples = numbered(5);
  const CalibrationStats whole = collect_numbers(samples);
  EXPECT_EQ(collect_together({}, samples, collect_numbers), whole);
  // With more members than samples too.
  for (std::size_t size = 2; size <= 7; ++size) EXPECT_EQ(together(size, samples), whole) << size;
}

TEST(CollectTogether, NamesTheRankWhosePartDoesNotFit) {
  CalibrationStats other = collect_numbers(numbered(1));
  other.tensors["y"] = other.tensors["x"];
  const Team team{.size = 2, .gather = [&](const std::string&) {
                    return std::vector<std::string>{"", to_json(other).dump()};
                  }};
  EXPECT_THAT(message_of([&] { (void)collect_together(team, numbered(4), collect_numbers); }),
              HasSubstr("rank 1: tensor 'y' is in one part of the statistics only"));
}

}  // namespace
}  // namespace ocs
