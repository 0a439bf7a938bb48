// What does the rounding rule cost a value, plainly and as round_weights does it?
#include "ocs/quant/affine.h"

#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "ocs/core/parallel.h"
#include "ocs/core/random.h"
#include "ocs/round/round.h"

namespace {

constexpr std::int64_t count = std::int64_t{1} << 20;

const std::vector<float>& values() {
  static const std::vector<float> made = ocs::Random(1).normals(count, 0.05F);
  return made;
}

void quantize_one_by_one(benchmark::State& state) {
  std::vector<std::int16_t> stored(count);
  for (auto _ : state) {
    for (std::size_t i = 0; i < stored.size(); ++i) {
      stored[i] = static_cast<std::int16_t>(ocs::quantize(values()[i], 0.001F, 0, -127, 127));
    }
    benchmark::DoNotOptimize(stored.data());
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(quantize_one_by_one);

void round_weights_on_one_thread(benchmark::State& state) {
  const ocs::ThreadLimit one_thread(1);
  const std::vector<float> scale{0.001F};
  const ocs::RoundProblem problem{.weight = {.data = values(),
                                             .outputs = 1024,
                                             .inputs = 1024,
                                             .output_stride = 1024,
                                             .input_stride = 1},
                                  .scales = scale};
  for (auto _ : state) {
    benchmark::DoNotOptimize(ocs::round_weights(ocs::NearestRounding{}, problem));
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(round_weights_on_one_thread);

}  // namespace
