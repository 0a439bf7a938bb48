// Several points of a sweep at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "ocs/core/team.h"

namespace ocs {

// Calls work(i) for every i of [0, count), `jobs` at once and not more, in order of i. (parallel_for
// would begin further ones while one waits for its own parallel work, without a bound on memory.)
// After a call has thrown no further ones begin; its exception is rethrown when the running ones
// have ended.
void run_jobs(std::size_t count, std::size_t jobs, const std::function<void(std::size_t)>& work);
// The same for the numbers that `next` gives, until it gives none.
void run_jobs(const Deal& next, std::size_t jobs, const std::function<void(std::size_t)>& work);

// How many points of a model of so many bytes may run at once on this machine: as many as there are
// threads, and as memory holds (0 `available`: not known) with `reserved` bytes for other things.
[[nodiscard]] std::size_t default_jobs(std::int64_t model_bytes, std::int64_t available,
                                       std::int64_t reserved);

// Bytes of memory that the system could give now, 0 where it does not say.
[[nodiscard]] std::int64_t available_memory();

}  // namespace ocs
