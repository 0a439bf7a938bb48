#include "ocs/costs/fit_costs.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/random.h"
#include "ocs/costs/cost_table_json.h"

namespace ocs {
namespace {

double squared_error(const std::vector<std::vector<double>>& rows, const std::vector<double>& b,
                     const std::vector<double>& x) {
  double sum = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double left = b[i];
    for (std::size_t j = 0; j < x.size(); ++j) left -= rows[i][j] * x[j];
    sum += left * left;
  }
  return sum;
}

TEST(NonnegativeLeastSquares, SolvesByHand) {
  // 2 x = 6 and x + y = 5.
  const std::vector<double> x =
      nonnegative_least_squares({{2.0, 0.0}, {1.0, 1.0}}, std::vector{6.0, 5.0});
  EXPECT_NEAR(x[0], 3.0, 1e-9);
  EXPECT_NEAR(x[1], 2.0, 1e-9);
  // y = -1 is not allowed: the best x alone is (6 * 2 + 2 * 1) / 5.
  const std::vector<double> bounded =
      nonnegative_least_squares({{2.0, 0.0}, {1.0, 1.0}}, std::vector{6.0, 2.0});
  EXPECT_NEAR(bounded[0], 2.8, 1e-9);
  EXPECT_EQ(bounded[1], 0.0);
}

TEST(NonnegativeLeastSquares, IsNotBeatenByAnyOtherPoint) {
  Random random(5);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<std::vector<double>> rows(8, std::vector<double>(3));
    std::vector<double> b(8);
    for (auto& row : rows)
      for (double& value : row) value = random.normal();
    for (double& value : b) value = random.normal();
    const std::vector<double> x = nonnegative_least_squares(rows, b);
    const double least = squared_error(rows, b, x);
    for (int other = 0; other < 500; ++other) {
      std::vector<double> near = x;
      for (double& value : near) value = std::max(0.0, value + 0.3 * random.normal());
      EXPECT_GE(squared_error(rows, b, near), least - 1e-12);
    }
  }
}

TEST(NonnegativeLeastSquares, GivesNothingToAColumnOfZeros) {
  EXPECT_THAT(nonnegative_least_squares({{1.0, 0.0}, {1.0, 0.0}}, std::vector{2.0, 4.0}),
              testing::ElementsAre(3.0, 0.0));
  EXPECT_TRUE(nonnegative_least_squares({}, {}).empty());
}

CostTable some_costs() {
  CostTable costs;
  for (std::size_t i = 0; i < costs.kernels.size(); ++i) {
    const auto n = static_cast<double>(i + 1);
    costs.kernels[i] = {.node = 900.0 * n, .multiply = 0.003 * n, .result = 0.1 * n};
  }
  costs.kernels[static_cast<std::size_t>(Kernel::spatial)].patch = 0.04;
  costs.moves = {MoveCost{.node = 4000.0, .value = 0.3}, MoveCost{.node = 2500.0, .value = 0.2}};
  return costs;
}

std::vector<PairTime> times_by(const CostTable& costs) {
  std::vector<PairTime> times;
  for (const MicroModel& micro : micro_models()) {
    double ns = micro.move ? predicted_ns(costs, *micro.move, moved_values(micro)) : 0.0;
    for (const KernelWork& work : work_of_pair(micro)) ns += predicted_ns(costs, work);
    times.push_back({.micro = micro, .ns = ns});
  }
  return times;
}

// The coefficients themselves need not come back (a depthwise layer cannot tell products from results), what they predict must.
TEST(FitCosts, PredictsWhatATableMade) {
  const CostTable made = some_costs();
  const CostTable fitted = fit_costs(times_by(made));
  EXPECT_LT(fitted.median_error, 1e-3);
  for (std::size_t i = 0; i < made.kernels.size(); ++i) {
    const auto kernel = static_cast<Kernel>(i);
    const bool is_off_tile = kernel == Kernel::depthwise_off_tile;
    const bool is_depthwise = kernel == Kernel::depthwise || is_off_tile;
    const KernelWork work{.kernel = is_depthwise ? Kernel::depthwise : kernel,
                          .inputs = is_depthwise ? 1.0 : 96.0,
                          .outputs = is_off_tile ? 168.0 : 160.0,
                          .taps = kernel == Kernel::spatial || is_depthwise ? 9.0 : 1.0,
                          .positions = 400.0};
    EXPECT_EQ(priced_as(made, work), kernel);
    EXPECT_NEAR(predicted_ns(fitted, work), predicted_ns(made, work),
                0.02 * predicted_ns(made, work))
        << kernel_names[i];
  }
  for (std::size_t i = 0; i < made.moves.size(); ++i) {
    EXPECT_NEAR(fitted.moves[i].node, made.moves[i].node, 0.05 * made.moves[i].node);
    EXPECT_NEAR(fitted.moves[i].value, made.moves[i].value, 0.05 * made.moves[i].value);
  }
}

// Two runs of a tiny network take as long as each other, or the longer one less: its pair is not known to cost nothing.
TEST(FitCosts, BelievesNoDifferenceThatIsLostInItsTimes) {
  const CostTable made = some_costs();
  std::vector<PairTime> times = times_by(made);
  int lost = 0;
  for (PairTime& time : times) {
    time.whole_ns = 20'000.0 + 3.0 * time.ns;
    if (time.micro.kernel != Kernel::matmul || time.micro.narrow != 128) continue;
    time.ns = 1.0;
    ++lost;
  }
  EXPECT_EQ(lost, 1);
  const CostTable fitted = fit_costs(times);
  const KernelWork work{
      .kernel = Kernel::matmul, .inputs = 2048.0, .outputs = 1000.0, .positions = 1.0};
  EXPECT_NEAR(predicted_ns(fitted, work), predicted_ns(made, work), 0.2 * predicted_ns(made, work));
}

TEST(FitCosts, BelievesNoMoveBesideAPairThatIsLost) {
  const CostTable made = some_costs();
  std::vector<PairTime> times = times_by(made);
  for (PairTime& time : times) time.whole_ns = 20'000.0 + 3.0 * time.ns;
  const auto lost = std::ranges::find_if(times, [&](const PairTime& plain) {
    return !plain.micro.move && std::ranges::any_of(times, [&](const PairTime& time) {
      return time.micro.move && time.micro.narrow == plain.micro.narrow &&
             time.micro.wide == plain.micro.wide && time.micro.extent == plain.micro.extent &&
             plain.micro.kernel == time.micro.kernel;
    });
  });
  ASSERT_NE(lost, times.end());
  lost->ns = 1.0;
  const CostTable fitted = fit_costs(times);
  for (std::size_t i = 0; i < made.moves.size(); ++i)
    EXPECT_NEAR(fitted.moves[i].value, made.moves[i].value, 0.3 * made.moves[i].value);
}

TEST(FitCosts, LeavesWhatWasNotMeasuredAtNothing) {
  const CostTable costs = fit_costs({});
  EXPECT_EQ(costs.kernels, CostTable{}.kernels);
  EXPECT_EQ(costs.median_error, 0.0);
}

TEST(FitCosts, WantsThePlainPairOfEachMove) {
  const PairTime lonely{
      .micro = {.narrow = 8, .wide = 8, .extent = 4, .move = Move::gather, .copies = 4},
      .ns = 100.0};
  EXPECT_THROW(static_cast<void>(fit_costs(std::vector{lonely})), Error);
}

TEST(CostTable, PadsChannelsAsTheKernelsDo) {
  CostTable costs;
  costs.kernels[0].multiply = 1.0;
  const KernelWork work{
      .kernel = Kernel::pointwise, .inputs = 65.0, .outputs = 64.0, .positions = 1.0};
  EXPECT_EQ(predicted_ns(costs, work), 68.0 * 64.0);
  EXPECT_EQ(predicted_ns(costs, {.inputs = 64.0, .outputs = 65.0, .positions = 1.0}), 64.0 * 80.0);
}

}  // namespace
}  // namespace ocs
