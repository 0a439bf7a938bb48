// Does the layout of a weight, or a split, slow rounding down?
#include "ocs/round/round.h"

#include <vector>

#include <benchmark/benchmark.h>

#include "ocs/core/random.h"

namespace {

constexpr std::int64_t outputs = 2048;
constexpr std::int64_t inputs = 1024;

const std::vector<float>& values() {
  static const std::vector<float> made = ocs::Random(1).normals(outputs * inputs, 0.05F);
  return made;
}

void round_matrix(benchmark::State& state, bool transposed, ocs::SplitKind kind,
                  ocs::SplitParts parts, int split_channels) {
  const std::vector<float> scales(outputs, 0.001F);
  std::vector<int> copies(inputs, 1);
  for (int i = 0; i < split_channels; ++i) copies[static_cast<std::size_t>(i)] = 2;
  const ocs::RoundProblem problem{.weight = {.data = values(),
                                             .outputs = outputs,
                                             .inputs = inputs,
                                             .output_stride = transposed ? 1 : inputs,
                                             .input_stride = transposed ? outputs : 1},
                                  .scales = scales,
                                  .copies = copies,
                                  .kind = kind,
                                  .parts = parts};
  for (auto _ : state) {
    benchmark::DoNotOptimize(ocs::round_weights(ocs::NearestRounding{}, problem));
  }
  state.SetItemsProcessed(state.iterations() * outputs * inputs);
}

using enum ocs::SplitKind;
using enum ocs::SplitParts;
BENCHMARK_CAPTURE(round_matrix, row_major, false, quantization_aware, equal, 0)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(round_matrix, transposed, true, quantization_aware, equal, 0)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(round_matrix, split_5_per_cent_equal, false, quantization_aware, equal, 51)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(round_matrix, split_5_per_cent_halving, false, quantization_aware, halving, 51)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(round_matrix, split_5_per_cent_naive, false, naive, equal, 51)
    ->MeasureProcessCPUTime();

}  // namespace
