#include "ocs/sweep/jobs.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ocs/core/parallel.h"

namespace ocs {

void run_jobs(std::size_t count, std::size_t jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  const Deal deal = [&]() -> std::optional<std::size_t> {
    const std::size_t i = next++;
    return i < count ? std::optional(i) : std::nullopt;
  };
  run_jobs(deal, std::min(jobs, count), work);
}

void run_jobs(const Deal& next, std::size_t jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<bool> failed = false;
  std::exception_ptr first;
  std::mutex mutex;
  const auto take = [&] {
    while (!failed) {
      try {
        const std::optional<std::size_t> i = next();
        if (!i) return;
        work(*i);
      } catch (...) {
        failed = true;
        const std::scoped_lock lock(mutex);
        if (!first) first = std::current_exception();
      }
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < jobs; ++i) others.emplace_back(take);
  take();
  others.clear();  // waits for them
  if (first) std::rethrow_exception(first);
}

std::size_t default_jobs(std::int64_t model_bytes, std::int64_t available, std::int64_t reserved) {
  // The float model as read, prepared and as the engine holds it, the quantized one twice, and what
  // layers read and give while they are measured.
  constexpr std::int64_t models_a_point = 6;
  constexpr std::int64_t other_bytes = std::int64_t{300} << 20U;
  const std::size_t threads = thread_count();
  if (available == 0) return threads;
  const std::int64_t room = (available - reserved) / (models_a_point * model_bytes + other_bytes);
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(room, 1, static_cast<std::int64_t>(threads)));
}

std::int64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  std::int64_t kilobytes = 0;
  while (file >> word) {
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace ocs
