// What does calibration cost a value? Histograms of values as layers give them: behind a Relu (half of them zero) and with both signs,
// with a few far larger than the rest, so that most fall into few bins.
#include "ocs/calibrate/histogram.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "ocs/core/random.h"

namespace {

std::vector<float> activations(std::size_t count, bool has_relu, float largest) {
  ocs::Random random(1);
  std::vector<float> values(count);
  for (float& v : values) {
    v = static_cast<float>(std::copysign(std::log1p(-random.uniform()), random.uniform() - 0.5));
    if (has_relu) v = std::max(v, 0.0F);
  }
  values[count / 2] = largest;
  return values;
}

// Arguments: values of a sample, whether they stand behind a Relu, the largest (the others are about 1). Eight samples in turn, as of one tensor in calibration.
void histogram(benchmark::State& state) {
  constexpr std::size_t samples = 8;
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<float> values =
      activations(count * samples, state.range(1) != 0, static_cast<float>(state.range(2)));
  ocs::Histogram to;
  std::size_t sample = 0;
  for (auto _ : state) {
    to.add(std::span(values).subspan(count * (sample++ % samples), count));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(histogram)
    ->ArgsProduct({{2048, 25088, 802816}, {0, 1}, {30, 300}})
    ->ArgNames({"values", "relu", "largest"});

}  // namespace
