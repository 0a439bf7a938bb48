// What does a tile of second moments cost, beside Eigen as it is built here?
#include "ocs/quant/products.h"

#include <vector>

#include <Eigen/Core>
#include <benchmark/benchmark.h>

#include "ocs/core/random.h"

namespace {

constexpr std::int64_t rows = 512;
constexpr std::int64_t side = 1152;  // a 3x3 Conv of 128 channels
constexpr std::int64_t tile = 256;

const std::vector<float>& values() {
  static const std::vector<float> made = ocs::Random(1).normals(rows * side);
  return made;
}

void count_flops(benchmark::State& state) {
  state.counters["FLOP/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * 2.0 * rows * tile * tile,
                         benchmark::Counter::kIsRate);
}

void products(benchmark::State& state) {
  std::vector<float> sums(static_cast<std::size_t>(tile * side), 0.0F);
  const ocs::products::Columns left{.values = values().data(), .width = tile, .stride = side};
  const ocs::products::Columns right{
      .values = values().data() + tile, .width = tile, .stride = side};
  for (auto _ : state) {
    ocs::products::add_product(left, right, rows, sums.data(), side);
    benchmark::DoNotOptimize(sums.data());
  }
  count_flops(state);
}

void eigen(benchmark::State& state) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Matrix sums = Matrix::Zero(tile, side);
  const Eigen::Map<const Matrix> all(values().data(), rows, side);
  for (auto _ : state) {
    sums.leftCols(tile).noalias() += all.leftCols(tile).transpose() * all.middleCols(tile, tile);
    benchmark::DoNotOptimize(sums.data());
  }
  count_flops(state);
}

BENCHMARK(products);
BENCHMARK(eigen);

}  // namespace
