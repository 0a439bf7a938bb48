#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace ocs {

// Items of [0, count) in runs of neighbours whose sizes add up to at most `limit` (one that is larger is a run by itself):
// where each run begins, and `count` at the end. The default, in weights, is 256 MB of floats.
[[nodiscard]] std::vector<std::size_t> batches_of(
    std::size_t count, const std::function<std::int64_t(std::size_t)>& size_of,
    std::int64_t limit = std::int64_t{1} << 26U);

}  // namespace ocs
