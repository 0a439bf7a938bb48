// One part of work that is cut into equal parts, each done by a process of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ocs/core/samples.h"

namespace ocs {

struct Shard {
  std::size_t index = 1;  // of [1, count]
  std::size_t count = 1;
  bool operator==(const Shard&) const = default;

  // Whether item i (from 0) of the whole is in this part: every count-th one, so that what is dear
  // at one end of a list is spread over all parts.
  [[nodiscard]] bool holds(std::size_t i) const { return i % count == index - 1; }
};

// "2/4" as the second of four. Throws Error(bad_input) with the text for anything else.
[[nodiscard]] Shard parse_shard(std::string_view text);
[[nodiscard]] std::string to_text(const Shard& shard);

// The first `count` samples, or all where there are fewer or `count` is 0.
[[nodiscard]] Samples first_samples(const Samples& samples, std::size_t count);
// The samples that `shard` holds, in their order. Throws Error(bad_input) where that is none.
[[nodiscard]] Samples part_of(const Samples& samples, const Shard& shard);

}  // namespace ocs
