#include "ocs/core/parallel.h"

#include <thread>

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

namespace ocs {

struct ThreadLimit::Impl {
  tbb::global_control control;
};

ThreadLimit::ThreadLimit(std::size_t threads) {
  const std::size_t wanted =
      threads == 0 ? std::max(1U, std::thread::hardware_concurrency()) : threads;
  impl_ = std::unique_ptr<Impl>(
      new Impl{tbb::global_control(tbb::global_control::max_allowed_parallelism, wanted)});
}

ThreadLimit::~ThreadLimit() = default;

std::size_t thread_count() {
  return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
}

void parallel_for(std::size_t count, const std::function<void(std::size_t)>& work) {
  // Grain of one: the items are layers and samples, each worth far more than the scheduling.
  tbb::parallel_for(
      tbb::blocked_range<std::size_t>(0, count, 1),
      [&](const tbb::blocked_range<std::size_t>& range) {
        for (std::size_t i = range.begin(); i != range.end(); ++i) work(i);
      },
      tbb::simple_partitioner());
}

}  // namespace ocs
