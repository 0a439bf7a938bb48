#include "ocs/core/cached_samples.h"

#include <atomic>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "ocs/core/parallel.h"

namespace ocs {
namespace {

// Each of 100 floats; counts how often each was loaded.
struct Counted {
  std::shared_ptr<std::vector<std::atomic<int>>> loads =
      std::make_shared<std::vector<std::atomic<int>>>(8);
  Samples samples{
      .count = 8,
      .load =
          [loads = loads](std::size_t i) {
            ++(*loads)[i];
            return Sample{.name = std::to_string(i),
                          .inputs = {{"x",
                                      {.shape = {100},
                                       .values = std::vector<float>(100, static_cast<float>(i))}}},
                          .labels = {static_cast<int>(i)}};
          },
      .has_labels = true};
  [[nodiscard]] int total() const {
    int sum = 0;
    for (const auto& count : *loads) sum += count;
    return sum;
  }
};

TEST(CachedSamples, AreLoadedOnceWhereTheyFit) {
  const Counted counted;
  const Samples samples = cached(counted.samples, 8 * 400);
  EXPECT_TRUE(samples.has_labels);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < samples.count; ++i) {
      const Sample sample = samples.load(i);
      EXPECT_EQ(sample.name, std::to_string(i));
      EXPECT_EQ(sample.labels.at(0), static_cast<int>(i));
      EXPECT_EQ(sample.inputs.at("x"), counted.samples.load(i).inputs.at("x"));
    }
  }
  EXPECT_EQ(counted.total(), 8 + 3 * 8);  // the second term: the comparison itself
}

TEST(CachedSamples, AreLoadedAgainWhereTheyDoNotFit) {
  const Counted counted;
  const Samples samples = cached(counted.samples, 3 * 400 + 399);
  for (int round = 0; round < 2; ++round)
    parallel_for(samples.count, [&](std::size_t i) {
      EXPECT_EQ(samples.load(i).labels.at(0), static_cast<int>(i));
    });
  EXPECT_EQ(counted.total(), 16 - 3);
}

}  // namespace
}  // namespace ocs
