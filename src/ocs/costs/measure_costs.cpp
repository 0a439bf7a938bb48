#include "ocs/costs/measure_costs.h"

#include <algorithm>
#include <limits>

#include "ocs/core/random.h"

namespace ocs {
namespace {

constexpr int few = 1;
constexpr int many = 3;

struct Runnable {
  RunModel run{};
  NamedTensors inputs{};
};

Runnable runnable(MicroModel micro, int pairs, const Engine& engine) {
  micro.pairs = pairs;
  const Model model = build(micro);
  Runnable result{.run = engine(model, {.intra_op_threads = 1})};
  const Port input = result.run.inputs.front();
  Random random(3);
  result.inputs[input.name] =
      Tensor{.shape = input.shape,
             .values = random.normals(static_cast<std::size_t>(element_count(input.shape)))};
  return result;
}

double seconds_of(const Runnable& model, const std::function<double()>& clock) {
  const double begin = clock();
  model.run.run(model.inputs, [](std::span<const OutputView>) {});
  return clock() - begin;
}

}  // namespace

std::vector<PairTime> time_pairs(const std::vector<MicroModel>& models, const Engine& engine,
                                 std::size_t rounds, const std::function<double()>& clock,
                                 const Progress& progress) {
  std::vector<Runnable> short_ones;
  std::vector<Runnable> long_ones;
  for (const MicroModel& micro : models) {
    short_ones.push_back(runnable(micro, few, engine));
    long_ones.push_back(runnable(micro, many, engine));
  }
  // Whatever disturbs a run makes it longer: the least time is the kernels' own.
  std::vector<double> least_short(models.size(), std::numeric_limits<double>::infinity());
  std::vector<double> least_long = least_short;
  for (std::size_t round = 0; round < rounds; ++round) {
    if (progress) progress("timing kernels", round, rounds);
    for (std::size_t i = 0; i < models.size(); ++i) {
      least_short[i] = std::min(least_short[i], seconds_of(short_ones[i], clock));
      least_long[i] = std::min(least_long[i], seconds_of(long_ones[i], clock));
    }
  }
  std::vector<PairTime> times;
  for (std::size_t i = 0; i < models.size(); ++i)
    // Next to nothing, but something, where the clock is too coarse.
    times.push_back({.micro = models[i],
                     .ns = std::max(1.0, 1e9 * (least_long[i] - least_short[i]) / (many - few)),
                     .whole_ns = 1e9 * least_long[i]});
  return times;
}

}  // namespace ocs
