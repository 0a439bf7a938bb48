#include "ocs/tune/tune.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::HasSubstr;

// A network of layers l0, l1, .. of 100 weights each: noise is added up, each layer's own falls by 6 dB a bit.
struct Network {
  std::vector<double> noise{};  // of each layer at 8 bits, the output's energy being 1
  double now = 0.0;             // seconds
  bool wants_equalization = false;
  std::vector<Recipe> measured{};

  [[nodiscard]] static std::string name(std::size_t i) { return "l" + std::to_string(i); }

  [[nodiscard]] double noise_of(std::size_t i, const Recipe& recipe) const {
    if (std::ranges::find(recipe.keep_float, name(i)) != recipe.keep_float.end()) return 0.0;
    const double care = std::holds_alternative<NearestRounding>(recipe.rounding) ? 1.0 : 0.25;
    const double turned = recipe.equalize == wants_equalization ? 1.0 : 1.5;
    return turned * noise[i] * care * std::pow(4.0, 8 - bits(i, recipe)) /
           (1.0 + 10.0 * recipe.mac_budget);
  }

  [[nodiscard]] int bits(std::size_t i, const Recipe& recipe) const {
    return recipe_for(recipe, name(i), {.first = i == 0, .last = i + 1 == noise.size()})
        .weight_bits;
  }

  [[nodiscard]] TuneProblem problem(const TuneGoal& goal) {
    return {.goal = goal,
            .measure = [this](const Recipe& recipe) { return measure(recipe); },
            .rank =
                [this](const Recipe& recipe) {
                  std::vector<std::size_t> order(noise.size());
                  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
                  std::ranges::stable_sort(order, std::ranges::greater(),
                                           [&](std::size_t i) { return noise_of(i, recipe); });
                  std::vector<std::string> names;
                  for (const std::size_t i : order) names.push_back(name(i));
                  return names;
                },
            .clock = [this] { return now; }};
  }

  TuneFigures measure(const Recipe& recipe) {
    check(recipe);
    measured.push_back(recipe);
    now += 10.0;
    double sum = 0.0;
    TuneFigures figures{.latency_ms = 5.0 + 100.0 * recipe.mac_budget,
                        .extra_macs = std::llround(1e6 * recipe.mac_budget)};
    for (std::size_t i = 0; i < noise.size(); ++i) {
      sum += noise_of(i, recipe);
      const bool is_float =
          std::ranges::find(recipe.keep_float, name(i)) != recipe.keep_float.end();
      figures.weight_bits += 100 * (is_float ? 32 : bits(i, recipe));
    }
    figures.sqnr_db = -10.0 * std::log10(sum);
    figures.drop = 1000.0 * sum;
    return figures;
  }
};

Network even(std::size_t layers, double noise) { return {std::vector<double>(layers, noise)}; }

TEST(Tune, FindsTheFewestBits) {
  // 20 layers of 1e-6: 47 dB at 8 bits, 53 with care, 6 fewer for each bit.
  Network network = even(20, 1e-6);
  const TuneResult result = tune(network.problem({.min_sqnr_db = 24.0}));
  ASSERT_TRUE(result.chosen.has_value());
  const Trial& chosen = result.trials[*result.chosen];
  EXPECT_TRUE(chosen.passes);
  EXPECT_GE(chosen.figures.sqnr_db, 24.0);
  // 4 bits give 29 dB, 3 bits 23: with copies a good bit more, so they pass.
  EXPECT_EQ(chosen.recipe.weight_bits, 3);
  EXPECT_EQ(network.bits(0, chosen.recipe), 8);
  EXPECT_EQ(network.bits(19, chosen.recipe), 8);
  for (const Trial& trial : result.trials)
    if (trial.passes) {
      EXPECT_GE(trial.figures.weight_bits, chosen.figures.weight_bits);
    }
}

TEST(Tune, GivesMoreBitsToAsFewLayersAsDo) {
  Network network = even(32, 1e-7);
  for (const std::size_t i : {5U, 11U, 20U}) network.noise[i] = 1e-4;
  const TuneResult result = tune(network.problem({.min_sqnr_db = 27.0}));
  ASSERT_TRUE(result.chosen.has_value());
  const Trial& chosen = result.trials[*result.chosen];
  const auto fine = static_cast<std::size_t>(std::ranges::count_if(
      chosen.recipe.overrides,
      [](const Override& entry) { return entry.pattern[0] == 'l' && entry.pattern != "last"; }));
  EXPECT_GE(fine, 3U);
  EXPECT_LE(fine, 3U + 2U);
  for (const std::size_t i : {5U, 11U, 20U})
    EXPECT_GT(network.bits(i, chosen.recipe), chosen.recipe.weight_bits);
}

TEST(Tune, TurnsOtherChoicesWhereBitsAndCopiesDoNotDo) {
  // 3 bits with copies: 23.9 dB as the recipe has it, 25.6 equalized.
  Network network = even(20, 1e-6);
  network.wants_equalization = true;
  const TuneResult result = tune(network.problem({.min_sqnr_db = 23.0}));
  ASSERT_TRUE(result.chosen.has_value());
  const Trial& chosen = result.trials[*result.chosen];
  const auto turned = std::ranges::find_if(result.trials, [](const Trial& trial) {
    return trial.what == "3 bits, gptq, copies for 2% of the MACs, equalization turned";
  });
  ASSERT_NE(turned, result.trials.end());
  EXPECT_TRUE(turned->passes);
  EXPECT_TRUE(chosen.recipe.equalize);  // kept for what follows
  // What does not help is not kept.
  EXPECT_EQ(chosen.recipe.act_clip, Recipe().act_clip);
  EXPECT_TRUE(chosen.recipe.bias_correction);
}

TEST(Tune, LeavesInFloatWhatEightBitsSpoil) {
  Network network = even(32, 1e-7);
  network.noise[7] = 1.0;
  network.noise[9] = 0.5;
  const TuneResult result = tune(network.problem({.max_drop = 1.0}));
  ASSERT_TRUE(result.chosen.has_value());
  EXPECT_THAT(result.trials[*result.chosen].recipe.keep_float,
              testing::UnorderedElementsAre("l7", "l9"));
}

TEST(Tune, TakesTheLeastErrorThatIsFastEnough) {
  Network network = even(4, 1e-6);
  const TuneResult result = tune(network.problem({.max_latency_ms = 10.5}));
  ASSERT_TRUE(result.chosen.has_value());
  EXPECT_EQ(result.trials[*result.chosen].recipe.mac_budget, 0.05);
  EXPECT_THAT(result.reason, HasSubstr("least error"));
}

TEST(Tune, SaysWhereNothingReachesTheGoal) {
  Network network = even(4, 0.1);
  const TuneResult slow = tune(network.problem({.max_latency_ms = 1.0}));
  EXPECT_FALSE(slow.chosen.has_value());
  EXPECT_THAT(slow.reason, HasSubstr("nothing"));
  // Only all layers in float would do, and that is no quantized model.
  TuneProblem impossible = network.problem({.max_drop = -1.0});
  EXPECT_FALSE(tune(impossible).chosen.has_value());
}

TEST(Tune, StopsWhenTheTimeIsOver) {
  Network network = even(20, 1e-6);
  TuneProblem problem = network.problem({.min_sqnr_db = 24.0});
  problem.time_limit = 25.0;
  const TuneResult result = tune(problem);
  EXPECT_EQ(result.trials.size(), 3U);
  EXPECT_TRUE(result.out_of_time);
  ASSERT_TRUE(result.chosen.has_value());
  EXPECT_THAT(result.reason, HasSubstr("time was over"));
}

TEST(Tune, TellsOfEveryTrialAndOfTheBestSoFar) {
  Network network = even(20, 1e-6);
  TuneProblem problem = network.problem({.min_sqnr_db = 24.0});
  std::size_t told = 0;
  std::string best;
  problem.finished = [&](const Trial& trial, bool is_best) {
    ++told;
    if (is_best) best = trial.what;
  };
  const TuneResult result = tune(problem);
  EXPECT_EQ(told, result.trials.size());
  EXPECT_EQ(best, result.trials[*result.chosen].what);
}

TEST(Tune, WantsAGoal) {
  Network network = even(4, 1e-6);
  EXPECT_THROW(static_cast<void>(tune(network.problem({}))), Error);
}

}  // namespace
}  // namespace ocs
