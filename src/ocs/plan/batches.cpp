#include "ocs/plan/batches.h"

namespace ocs {

std::vector<std::size_t> batches_of(std::size_t count,
                                    const std::function<std::int64_t(std::size_t)>& size_of,
                                    std::int64_t limit) {
  std::vector<std::size_t> begins{0};
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t size = size_of(i);
    if (sum + size > limit && i > begins.back()) {
      begins.push_back(i);
      sum = 0;
    }
    sum += size;
  }
  if (count > 0) begins.push_back(count);
  return begins;
}

}  // namespace ocs
