// What does choosing the channels cost, against the one pass over the weights that it needs?
#include <cmath>
#include <vector>

#include <benchmark/benchmark.h>

#include "ocs/core/random.h"
#include "ocs/split/max_clip.h"
#include "ocs/split/select.h"

namespace {

constexpr std::int64_t outputs = 512;
constexpr std::int64_t inputs = 2048;

const std::vector<float>& values() {
  static const std::vector<float> made = ocs::Random(1).normals(outputs * inputs, 0.05F);
  return made;
}

ocs::ChannelMatrix matrix(bool transposed = false) {
  return {.data = values(),
          .outputs = outputs,
          .inputs = inputs,
          .output_stride = transposed ? 1 : inputs,
          .input_stride = transposed ? outputs : 1};
}

void column_maxima(benchmark::State& state, bool transposed) {
  for (auto _ : state) benchmark::DoNotOptimize(ocs::column_max_abs(matrix(transposed)));
  state.SetItemsProcessed(state.iterations() * outputs * inputs);
}
BENCHMARK_CAPTURE(column_maxima, row_major, false);
BENCHMARK_CAPTURE(column_maxima, transposed, true);

// Argument: splits; 4 * inputs is the largest expand ratio.
void select_largest(benchmark::State& state, ocs::SplitParts parts) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        ocs::select_largest(matrix(), static_cast<int>(state.range(0)), parts));
  }
}
BENCHMARK_CAPTURE(select_largest, halving, ocs::SplitParts::halving)
    ->Arg(0)
    ->Arg(103)
    ->Arg(4 * inputs);
BENCHMARK_CAPTURE(select_largest, equal, ocs::SplitParts::equal)->Arg(0)->Arg(103)->Arg(4 * inputs);

// The channels of a whole network under one budget.
void least_max(benchmark::State& state) {
  ocs::Random random(2);
  std::vector<float> max_abs(30000);
  for (float& m : max_abs) m = static_cast<float>(std::exp(random.normal()));
  for (auto _ : state) {
    benchmark::DoNotOptimize(ocs::least_max({.max_abs = max_abs, .budget = 1500.0}));
  }
}
BENCHMARK(least_max);

}  // namespace
