// What does a threshold cost, by method, for the rows and the whole of a weight, and for the
// histogram of an activation?
#include "ocs/clip/clip.h"

#include <cmath>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "ocs/core/random.h"

namespace {

std::vector<float> laplace(std::size_t count) {
  ocs::Random random(1);
  std::vector<float> values(count);
  for (float& v : values) {
    v = static_cast<float>(std::copysign(std::log1p(-random.uniform()), random.uniform() - 0.5));
  }
  return values;
}

// Arguments: values, bits.
void threshold_of_values(benchmark::State& state, const std::string& method) {
  const std::vector<float> values = laplace(static_cast<std::size_t>(state.range(0)));
  const ocs::Clip clip = ocs::parse_clip(method);
  const ocs::Grid grid{.bits = static_cast<int>(state.range(1))};
  for (auto _ : state) {  // with the pass over the values that finds the extremes
    benchmark::DoNotOptimize(ocs::threshold(clip, ocs::clip_input(values, grid)));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// Both ends of a range from 4096 bins, as calibration keeps them.
void range_of_histogram(benchmark::State& state, const std::string& method) {
  std::vector<float> centres;
  std::vector<double> counts;
  for (int i = -1024; i < 3072; ++i) {
    centres.push_back((static_cast<float>(i) + 0.5F) / 1024.0F);
    counts.push_back(std::ceil(1e6 * std::exp(-4.0 * std::abs(static_cast<double>(i)) / 1024.0)));
  }
  ocs::ClipInput input =
      ocs::clip_input(centres, {.bits = static_cast<int>(state.range(0)), .is_signed = false});
  input.counts = counts;
  const ocs::Clip clip = ocs::parse_clip(method);
  for (auto _ : state) benchmark::DoNotOptimize(ocs::clip_range(clip, input));
}

const bool registered = [] {
  for (const std::string& method : ocs::clip_names()) {
    benchmark::RegisterBenchmark(("threshold/" + method).c_str(), threshold_of_values, method)
        ->ArgsProduct({{64, 576, 4608, 2359296}, {4, 8}})
        ->ArgNames({"values", "bits"});
    benchmark::RegisterBenchmark(("range/" + method).c_str(), range_of_histogram, method)
        ->Arg(4)
        ->Arg(8)
        ->ArgName("bits");
  }
  return true;
}();

}  // namespace
