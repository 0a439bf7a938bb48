// What every rounding method must fulfil, over the whole list.
#include <cmath>

#include <gtest/gtest.h>

#include "ocs/core/parallel.h"
#include "ocs/core/random.h"
#include "ocs/quant/affine.h"
#include "ocs/round/round.h"
#include "support/as_types.h"

namespace ocs {
namespace {

template <typename Method>
class RoundingContract : public testing::Test {
 protected:
  static constexpr std::int64_t outputs = 24, inputs = 6, taps = 4;

  [[nodiscard]] RoundProblem problem(std::int32_t highest, SplitKind kind, SplitParts parts) const {
    return {.weight = {.data = data_,
                       .outputs = outputs,
                       .inputs = inputs,
                       .taps = taps,
                       .output_stride = inputs * taps,
                       .input_stride = taps},
            .scales = scales_,
            .copies = copies_,
            .highest = highest,
            .kind = kind,
            .parts = parts};
  }

  template <typename Test>
  void for_each_problem(const Test& test) const {
    for (const std::int32_t highest : {1, 3, 7, 15, 127}) {
      for (const SplitKind kind : {SplitKind::quantization_aware, SplitKind::naive}) {
        for (const SplitParts parts : {SplitParts::equal, SplitParts::halving}) {
          test(problem(highest, kind, parts));
        }
      }
    }
  }

  std::vector<float> data_ = Random(5).normals(outputs * inputs * taps, 40.0F);
  std::vector<float> scales_{0.7F};
  std::vector<int> copies_{1, 2, 1, 3, 5, 1};
};
TYPED_TEST_SUITE(RoundingContract, AsTypes<Rounding>::type);

TYPED_TEST(RoundingContract, StaysInTheRangeOfTheCopies) {
  this->for_each_problem([](const RoundProblem& problem) {
    const std::vector<std::int16_t> stored = round_weights(TypeParam{}, problem).stored;
    for_each_weight(problem.weight, [&](std::int64_t, std::int64_t column, std::size_t index) {
      ASSERT_LE(std::abs(stored[index]),
                problem.copies[static_cast<std::size_t>(column)] * problem.highest);
    });
  });
}

TYPED_TEST(RoundingContract, KeepsWeightsThatLieOnTheGrid) {
  for (const std::int32_t highest : {1, 7, 127}) {
    const RoundProblem problem =
        this->problem(highest, SplitKind::quantization_aware, SplitParts::equal);
    std::vector<float> on_grid;
    std::vector<std::int16_t> levels;
    Random random(6);
    for (std::size_t i = 0; i < this->data_.size(); ++i) {
      const auto level =
          static_cast<std::int32_t>(random.below(2U * static_cast<unsigned>(highest) + 1U)) -
          highest;
      levels.push_back(static_cast<std::int16_t>(level));
      on_grid.push_back(dequantize(level, this->scales_[0], 0));
    }
    RoundProblem exact = problem;
    exact.weight.data = on_grid;
    EXPECT_EQ(round_weights(TypeParam{}, exact).stored, levels);
  }
}

TYPED_TEST(RoundingContract, ChangesNothingTheSecondTime) {
  RoundProblem problem = this->problem(7, SplitKind::quantization_aware, SplitParts::equal);
  const std::vector<std::int16_t> first = round_weights(TypeParam{}, problem).stored;
  std::vector<float> rounded;
  for (const std::int16_t level : first) rounded.push_back(dequantize(level, this->scales_[0], 0));
  problem.weight.data = rounded;
  EXPECT_EQ(round_weights(TypeParam{}, problem).stored, first);
}

TYPED_TEST(RoundingContract, GivesTheSameForAnyNumberOfThreads) {
  this->for_each_problem([](const RoundProblem& problem) {
    const std::vector<std::int16_t> many = round_weights(TypeParam{}, problem).stored;
    const ThreadLimit one_thread(1);
    EXPECT_EQ(round_weights(TypeParam{}, problem).stored, many);
  });
}

TYPED_TEST(RoundingContract, IsReadBackFromItsText) {
  EXPECT_EQ(parse_rounding(to_string(Rounding(TypeParam{}))), Rounding(TypeParam{}));
  EXPECT_FALSE(TypeParam::help.empty());
}

}  // namespace
}  // namespace ocs
