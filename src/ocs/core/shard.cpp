#include "ocs/core/shard.h"

#include <algorithm>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/parse_number.h"

namespace ocs {

Shard parse_shard(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    throw_bad_input(fmt::format("'{}' is no shard: write it as 2/4, the second of four", text));
  const Shard shard{.index = parse_number<std::size_t>(text.substr(0, slash)),
                    .count = parse_number<std::size_t>(text.substr(slash + 1))};
  if (shard.index == 0 || shard.index > shard.count)
    throw_bad_input(
        fmt::format("'{}' is no shard: the first number runs from 1 to the second", text));
  return shard;
}

std::string to_text(const Shard& shard) { return fmt::format("{}/{}", shard.index, shard.count); }

Samples first_samples(const Samples& samples, std::size_t count) {
  Samples first = samples;
  if (count > 0) first.count = std::min(count, samples.count);
  return first;
}

Samples part_of(const Samples& samples, const Shard& shard) {
  if (samples.count < shard.index)
    throw_bad_input(fmt::format("shard {} of {} samples is empty: cut them into fewer shards",
                                to_text(shard), samples.count));
  Samples part = samples;
  part.count = (samples.count - shard.index) / shard.count + 1;
  part.load = [load = samples.load, shard](std::size_t i) {
    return load(i * shard.count + shard.index - 1);
  };
  return part;
}

}  // namespace ocs
