// Independent items on several threads (oneTBB); the same result for any number of threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace ocs {

// Limits parallel_for to `threads` threads (0: all cores) as long as the object lives.
class ThreadLimit {
 public:
  explicit ThreadLimit(std::size_t threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;
  ThreadLimit(ThreadLimit&&) = delete;
  ThreadLimit& operator=(ThreadLimit&&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Threads that parallel_for uses now.
[[nodiscard]] std::size_t thread_count();

// Calls work(i) for every i of [0, count), in any order, possibly at once; each call writes to its own slot only.
// The first exception that a call throws is rethrown here after all running calls have ended.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace ocs
