#include "ocs/core/cached_samples.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

namespace ocs {
namespace {

std::int64_t bytes_of(const NamedTensors& tensors) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    bytes += std::visit(
        [](const auto& values) {
          return static_cast<std::int64_t>(values.size() * sizeof(*values.data()));
        },
        tensor.values);
  }
  return bytes;
}

struct Cache {
  Samples samples{};
  std::int64_t most_bytes = 0;
  std::int64_t bytes = 0;
  std::mutex mutex{};
  std::vector<std::shared_ptr<const Sample>> kept{};

  Sample load(std::size_t i) {
    {
      const std::scoped_lock lock(mutex);
      if (const auto sample = kept[i]) return *sample;
    }
    // Two threads may load the same one at once: both get it, one is kept.
    Sample sample = samples.load(i);
    const std::int64_t size = bytes_of(sample.inputs) + bytes_of(sample.outputs);
    const std::scoped_lock lock(mutex);
    if (!kept[i] && bytes + size <= most_bytes) {
      kept[i] = std::make_shared<const Sample>(sample);
      bytes += size;
    }
    return sample;
  }
};

}  // namespace

Samples cached(Samples samples, std::int64_t most_bytes) {
  const auto cache = std::make_shared<Cache>();
  cache->kept.resize(samples.count);
  cache->most_bytes = most_bytes;
  Samples result = samples;
  cache->samples = std::move(samples);
  result.load = [cache](std::size_t i) { return cache->load(i); };
  return result;
}

}  // namespace ocs
