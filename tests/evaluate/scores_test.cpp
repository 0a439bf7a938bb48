#include "ocs/evaluate/scores.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluate/fake_model.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

std::optional<Scores> find(const std::vector<Tensor>& tensors) {
  std::vector<OutputView> outputs;
  const std::vector<std::string> names{"y0", "y1", "y2"};
  for (std::size_t i = 0; i < tensors.size(); ++i)
    outputs.push_back({.name = names[i], .tensor = view(tensors[i])});
  return find_scores(outputs);
}

Tensor zeros(const Shape& shape) {
  return floats(shape, std::vector<float>(static_cast<std::size_t>(element_count(shape))));
}

void expect_extents(const Shape& shape, std::size_t items, std::size_t classes) {
  const std::optional<Scores> scores = find({zeros(shape)});
  ASSERT_TRUE(scores.has_value()) << to_string(shape);
  EXPECT_EQ(scores->items, items) << to_string(shape);
  EXPECT_EQ(scores->classes, classes) << to_string(shape);
}

TEST(FindScores, TakesTheOnlyAxisThatIsNotOneOrElseTheLast) {
  expect_extents({4, 10}, 4, 10);
  expect_extents({4, 10, 1, 1}, 4, 10);
  expect_extents({4, 1, 1, 10}, 4, 10);
  expect_extents({10}, 1, 10);
  expect_extents({2, 3, 10}, 6, 10);
  expect_extents({1, 10}, 1, 10);
}

TEST(FindScores, TakesTheFirstOutputOfFloatsWithSeveralClasses) {
  const Tensor ids{.shape = {1, 5}, .values = std::vector<std::int64_t>(5)};
  const Tensor doubles{.shape = {1, 2}, .values = std::vector<double>{0.25, 0.75}};
  const auto scores = find({ids, zeros({4, 1}), doubles});
  ASSERT_TRUE(scores.has_value());
  EXPECT_EQ(scores->output, "y2");
  EXPECT_EQ(scores->values, (std::vector<float>{0.25F, 0.75F}));
  EXPECT_FALSE(find({ids, zeros({4, 1}), zeros({0, 5})}).has_value());
  EXPECT_FALSE(find({zeros({})}).has_value());
  EXPECT_FALSE(find({}).has_value());
}

TEST(FindScores, NamesTheOutputThatHoldsNan) {
  EXPECT_THAT(
      [] {
        (void)find({floats({1, 2}, {1, NAN})});
      },
      testing::ThrowsMessage<Error>("the model's output 'y0' holds NaN"));
  EXPECT_EQ(find({floats({1, 2}, {-INFINITY, INFINITY})})->classes, 2U);
}

TEST(RankOf, CountsWhatIsInFront) {
  const std::vector<float> scores{1, 3, 2, 3};
  EXPECT_EQ(rank_of(scores, 1), 0U);
  EXPECT_EQ(rank_of(scores, 3), 1U);  // equal to 1, behind it
  EXPECT_EQ(rank_of(scores, 2), 2U);
  EXPECT_EQ(rank_of(scores, 0), 3U);
  EXPECT_EQ(best_class(scores), 1U);
}

TEST(ForEachSample, ReportsProgressAndNamesTheSample) {
  const Samples samples = samples_of(std::vector<Item>(20));
  std::vector<std::size_t> seen;
  for_each_sample(
      samples, "step",
      [&](const std::string& what, std::size_t done, std::size_t total) {
        EXPECT_EQ(what, "step");
        EXPECT_EQ(total, 20U);
        seen.push_back(done);
      },
      [](std::size_t, const Sample&) {});
  ASSERT_EQ(seen.size(), 20U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i + 1);
  EXPECT_THAT(
      [&] {
        for_each_sample(samples_of({{}}), "step", {},
                        [](std::size_t, const Sample&) { throw_bad_input("no"); });
      },
      testing::ThrowsMessage<Error>("sample 's0': no"));
}

}  // namespace
}  // namespace ocs
