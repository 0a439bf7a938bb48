#include "ocs/costs/fit_costs.h"

#include <algorithm>
#include <cmath>

#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr int most_rounds = 20000;
constexpr double settled = 1e-12;

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// What the coefficients of a kernel are multiplied with, in one pair.
std::vector<double> kernel_row(const CostTable& costs, const MicroModel& micro) {
  std::vector<double> row(5, 0.0);
  for (const KernelWork& work : work_of_pair(micro)) {
    row[0] += 1.0;
    row[1] += padded_products(costs, work);
    // A kernel of one tap reads its data where they lie; and in pairs of them inputs and results are as many, so that nothing could
    // tell the two apart.
    if (work.taps > 1.0) row[2] += work.inputs * work.taps * work.positions;
    row[3] += work.outputs * work.positions;
    row[4] += work.inputs * work.outputs * work.taps;
  }
  return row;
}

// What an error is relative to: the time, but a small difference of long times is no surer than a share of the longer one.
double certain_ns(const PairTime& time) {
  constexpr double share = 1.0 / 30.0;
  return std::max(time.ns, share * time.whole_ns);
}

bool is_lost(const PairTime& time) { return time.ns < certain_ns(time); }

// Relative errors count: every row over what is sure of its measurement.
std::vector<double> fit(std::vector<std::vector<double>> rows, std::span<const double> times,
                        std::span<const double> weights) {
  std::vector<double> targets;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (double& value : rows[i]) value /= weights[i];
    targets.push_back(times[i] / weights[i]);
  }
  return nonnegative_least_squares(rows, targets);
}

void fit_kernel(std::span<const PairTime> times, Kernel kernel, CostTable& costs) {
  std::vector<std::vector<double>> rows;
  std::vector<double> measured;
  std::vector<double> weights;
  for (const PairTime& time : times) {
    if (time.micro.move || priced_as(costs, work_of_pair(time.micro).front()) != kernel) continue;
    rows.push_back(kernel_row(costs, time.micro));
    measured.push_back(time.ns);
    weights.push_back(certain_ns(time));
  }
  if (rows.empty()) return;
  const std::vector<double> x = fit(rows, measured, weights);
  costs.kernels[static_cast<std::size_t>(kernel)] = {
      .node = x[0], .multiply = x[1], .weight = x[4], .patch = x[2], .result = x[3]};
}

double pair_ns(const CostTable& costs, const MicroModel& micro) {
  double sum = 0.0;
  for (const KernelWork& work : work_of_pair(micro)) sum += predicted_ns(costs, work);
  if (micro.move) sum += predicted_ns(costs, *micro.move, moved_values(micro));
  return sum;
}

MicroModel without_move(MicroModel micro) {
  micro.move.reset();
  micro.copies = 0;
  return micro;
}

const PairTime& plain_pair(std::span<const PairTime> times, const MicroModel& plain) {
  for (const PairTime& time : times)
    if (name_of(time.micro) == name_of(plain)) return time;
  throw_internal("no time of " + name_of(plain));
}

void fit_move(std::span<const PairTime> times, Move move, CostTable& costs) {
  std::vector<std::vector<double>> rows;
  std::vector<double> added;
  std::vector<double> weights;
  for (const PairTime& time : times) {
    if (time.micro.move != move) continue;
    const MicroModel plain = without_move(time.micro);
    MicroModel wider = time.micro;
    wider.move = move;
    double channels = -pair_ns(costs, plain);
    for (const KernelWork& work : work_of_pair(wider)) channels += predicted_ns(costs, work);
    const PairTime& plain_time = plain_pair(times, plain);
    if (is_lost(plain_time) || is_lost(time)) continue;
    rows.push_back({1.0, moved_values(time.micro)});
    added.push_back(time.ns - plain_time.ns - channels);
    // What is left of a difference of two times is no surer than these.
    weights.push_back(plain_time.ns);
  }
  if (rows.empty()) return;
  const std::vector<double> x = fit(rows, added, weights);
  costs.moves[static_cast<std::size_t>(move)] = {.node = x[0], .value = x[1]};
}

double median_error(const CostTable& costs, std::span<const PairTime> times) {
  std::vector<double> errors;
  for (const PairTime& time : times)
    errors.push_back(std::abs(pair_ns(costs, time.micro) - time.ns) / certain_ns(time));
  if (errors.empty()) return 0.0;
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::ranges::nth_element(errors, middle);
  return *middle;
}

}  // namespace

std::vector<double> nonnegative_least_squares(const std::vector<std::vector<double>>& rows,
                                              std::span<const double> b) {
  if (rows.empty()) return {};
  const std::size_t n = rows[0].size();
  std::vector<std::vector<double>> columns(n, std::vector<double>(rows.size()));
  std::vector<double> lengths(n, 0.0);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i < rows.size(); ++i) columns[j][i] = rows[i][j];
    lengths[j] = std::sqrt(dot(columns[j], columns[j]));
    // Of length one, so that the steps of all coordinates are comparable.
    if (lengths[j] > 0.0)
      for (double& value : columns[j]) value /= lengths[j];
  }
  std::vector<double> x(n, 0.0);
  std::vector<double> left(b.begin(), b.end());
  for (int round = 0; round < most_rounds; ++round) {
    double moved = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      if (lengths[j] == 0.0) continue;
      const double next = std::max(0.0, x[j] + dot(columns[j], left));
      const double step = next - x[j];
      for (std::size_t i = 0; i < left.size(); ++i) left[i] -= step * columns[j][i];
      x[j] = next;
      moved = std::max(moved, std::abs(step));
    }
    if (moved < settled) break;
  }
  for (std::size_t j = 0; j < n; ++j)
    if (lengths[j] > 0.0) x[j] /= lengths[j];
  return x;
}

CostTable fit_costs(std::span<const PairTime> times) {
  CostTable costs;
  for (std::size_t i = 0; i < kernel_names.size(); ++i)
    fit_kernel(times, static_cast<Kernel>(i), costs);
  for (std::size_t i = 0; i < move_names.size(); ++i) fit_move(times, static_cast<Move>(i), costs);
  costs.median_error = median_error(costs, times);
  return costs;
}

}  // namespace ocs
